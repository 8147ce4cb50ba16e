import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { LinkHandler } from "../../../src/link/api.ts";
import type { KeyMailboxRequest } from "../../../src/link/relay-api.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import type { EgressRequest, EgressTarget } from "../../../src/worker-roomserver/egress/api.ts";
import type { AskHomeRelay } from "../../../src/worker-roomserver/node/identity.ts";
import { type OpenNode, openNode } from "../../../src/worker-roomserver/node/node.ts";
import { openRelays } from "../../../src/worker-roomserver/relay/open.ts";
import { deleteDatabase } from "../../../src/worker-roomserver/storage/open.ts";
import { cryptoDevice } from "../support/crypto-device.ts";
import { outsideAnswer } from "../support/egress.ts";
import { registerAt } from "../support/node.ts";
import { testStorage } from "../support/storage.ts";
import { cheap } from "../support/users.ts";
import { ask, FakeRelay, keeperOf } from "./support/fake-relay.ts";

type Home = { node: OpenNode; relay: FakeRelay; handler: () => LinkHandler; reopen: () => Promise<Home> };

/** A whole node that can reach one relay. */
async function withRelay(
  relay = new FakeRelay(),
  { dbName = `test-${crypto.randomUUID()}`, homeRelay }: { dbName?: string; homeRelay?: AskHomeRelay } = {},
): Promise<Home> {
  const openKeeper = keeperOf([relay]);
  const node = await openNode({
    ...{ dbName, now: Date.now, onStopped: () => undefined, passwordCost: cheap, openKeeper },
    ...(homeRelay && { homeRelay }),
  });
  let isOpen = true;
  const close = async () => {
    if (isOpen) await node.close();
    isOpen = false;
  };
  onTestFinished(async () => {
    await close();
    await deleteDatabase(dbName);
  });
  await node.startRelays();
  return {
    node,
    relay,
    handler: () => openKeeper.opened.get(relay.url)!.handler,
    reopen: async () => {
      await close();
      return withRelay(relay, { dbName });
    },
  };
}

const connected = async ({ node }: Home) => {
  await vi.waitFor(async () =>
    expect((await node.relays.states())[0]).toMatchObject({ connection: "connected" }),
  );
};

describe("the owner's relays", () => {
  test("one that is added is connected to, at once and by the next leader, and told what it may do", async () => {
    const home = await withRelay();
    expect(await home.node.relays.states()).toEqual([]);
    await home.node.relays.add("relay.example");
    await connected(home);
    await vi.waitFor(() => expect([...home.relay.put.keys()]).toContain("/server-keys"));
    expect(home.relay.put.get("/presence")).toEqual({ asleep: false });
    expect(home.relay.put.get("/client-api")).toEqual({ open: false });
    expect(home.relay.put.get("/wake-up")).toEqual({ subscription: null });
    expect(home.relay.put.get("/server-keys")).toMatchObject({
      document: { server_name: (await home.node.info()).serverName },
    });
    const next = await home.reopen();
    await connected(next);
    expect((await next.node.relays.states())[0]).toMatchObject({
      ...{ url: "https://relay.example", name: "relay.example", added: "owner", mail: "none" },
      ...{ kind: "webtransport", client_api: false, names: [], wake_up: false, wake_up_key: "BKey" },
    });
    await vi.waitFor(async () =>
      expect((await next.node.relays.states())[0]!.words).toBe(
        "Connected by WebTransport, 12 ms there and back.",
      ),
    );
  });

  test("one that cannot be reached says so, and is tried again when asked", async () => {
    const { node } = await withRelay();
    await node.relays.add("https://nobody.example");
    await vi.waitFor(async () =>
      expect((await node.relays.states())[0]).toMatchObject({
        connection: "waiting",
        words: expect.stringContaining("Nobody answers"),
      }),
    );
    await node.relays.retry("https://nobody.example");
    await expect(node.relays.retry("https://other.example")).rejects.toMatchObject({ status: 404 });
  });

  test("adding one twice is adding it once, and there are at most eight", async () => {
    const { node } = await withRelay();
    await Promise.all([node.relays.add("a.example"), node.relays.add("https://a.example")]);
    for (const host of ["b", "c", "d", "e", "f", "g", "h"]) await node.relays.add(`${host}.example`);
    await expect(node.relays.add("i.example")).rejects.toMatchObject({ errcode: "M_LIMIT_EXCEEDED" });
    expect(await node.relays.states()).toHaveLength(8);
  });

  test("one that is removed is gone for good", async () => {
    const home = await withRelay();
    await home.node.relays.add("relay.example");
    await connected(home);
    await home.node.relays.remove("https://relay.example");
    expect((await home.relay.links[0]!.ended).kind).toBe("closed");
    expect(await (await home.reopen()).node.relays.states()).toEqual([]);
  });

  test("the home relay is there from the first start, and stays", async () => {
    const homeRelay = async () => ({
      url: "https://relay.example",
      name: "relay.example",
      suffix: "relay.example",
    });
    const home = await withRelay(new FakeRelay(), { homeRelay });
    await connected(home);
    expect((await home.node.relays.states())[0]).toMatchObject({ added: "home" });
    await expect(home.node.relays.remove("https://relay.example")).rejects.toMatchObject({
      errcode: "M_FORBIDDEN",
    });
  });

  test("clients get in where the owner has opened it, and no longer than that", async () => {
    const home = await withRelay();
    const { node, relay } = home;
    await node.relays.add("relay.example");
    await connected(home);
    const status = async () => (await ask(home.handler(), "GET", "/_matrix/client/versions")).status;
    expect(await status()).toBe(403);
    await node.relays.setClientApi(relay.url, true);
    await vi.waitFor(() => expect(relay.put.get("/client-api")).toEqual({ open: true }));
    expect(await status()).not.toBe(403);
    const next = await home.reopen();
    await connected(next);
    expect((await next.node.relays.states())[0]).toMatchObject({ client_api: true });
    await next.node.relays.setClientApi(relay.url, false);
    expect((await ask(next.handler(), "GET", "/_matrix/client/versions")).status).toBe(403);
  });

  test("a page that goes to sleep is told of at once, and keys are taken back when it wakes", async () => {
    const home = await withRelay();
    const { node, relay } = home;
    await node.relays.add("relay.example");
    await connected(home);
    await vi.waitFor(() => expect(relay.put.has("/server-keys")).toBe(true));
    await node.relays.setAsleep(true);
    expect(relay.put.get("/presence")).toEqual({ asleep: true });
    const seen: string[] = [];
    relay.before = (what) => void seen.push(what);
    await node.relays.setAsleep(false);
    expect(relay.put.get("/presence")).toEqual({ asleep: false });
    await vi.waitFor(() => expect(seen).toContain("POST /key-mailbox/take-back"));
  });

  test("with what a browser is woken is stored, and told to the relay", async () => {
    const home = await withRelay();
    const { node, relay } = home;
    await node.relays.add("relay.example");
    await connected(home);
    const subscription = { endpoint: "https://push.example/1", keys: { p256dh: "p", auth: "a" } };
    await node.relays.setWakeUp(relay.url, subscription);
    await vi.waitFor(() => expect(relay.put.get("/wake-up")).toEqual({ subscription }));
    expect((await node.relays.states())[0]).toMatchObject({ wake_up: true });
    await node.relays.setWakeUp(relay.url, null);
    await vi.waitFor(() => expect(relay.put.get("/wake-up")).toEqual({ subscription: null }));
  });

  test("a name that a relay gives is kept; one that it does not is its error", async () => {
    const home = await withRelay();
    const { node, relay } = home;
    await node.relays.add("relay.example");
    await connected(home);
    expect(await node.relays.claimName(relay.url, "alice")).toBe("alice.relay.example");
    expect((await node.relays.states())[0]).toMatchObject({ names: ["alice.relay.example"] });
    relay.refusing.set("PUT /name", { status: 409, errcode: "M_USER_IN_USE" });
    await expect(node.relays.claimName(relay.url, "bob")).rejects.toMatchObject({
      ...{ status: 409, errcode: "M_USER_IN_USE" },
    });
  });
});

describe("mail", () => {
  test("comes into the inbox when the relay is connected, and when it comes", async () => {
    const home = await withRelay();
    const { node, relay } = home;
    relay.receive("a.example", "1");
    await node.relays.add("relay.example");
    await relay.emptied();
    relay.receive("a.example", "2");
    await relay.emptied();
    const first = (await node.inbox.next(0))!;
    const second = await node.inbox.next(first.id);
    expect([first.transactionId, second?.transactionId]).toEqual(["1", "2"]);
  });

  test("that cannot be taken in says so, and is tried again", async () => {
    const home = await withRelay();
    const { node, relay } = home;
    relay.refusing.set("GET /mailbox", { status: 500, errcode: "M_UNKNOWN" });
    await node.relays.add("relay.example");
    await vi.waitFor(async () =>
      expect((await node.relays.states())[0]).toMatchObject({
        mail: "stuck",
        words: expect.stringContaining("Mail cannot be taken in: No."),
      }),
    );
    relay.refusing.clear();
    relay.receive("a.example", "1");
    relay.links[0]!.cut();
    await vi.waitFor(async () => expect((await node.relays.states())[0]!.connection).toBe("waiting"));
    await node.relays.retry(relay.url);
    await relay.emptied();
    await vi.waitFor(async () => expect((await node.relays.states())[0]).toMatchObject({ mail: "none" }));
  });
});

/** Keys of a device that are given out, one after the other until there are none. */
async function claimAll(claim: () => Promise<string | undefined>): Promise<string[]> {
  const ids: string[] = [];
  for (let id = await claim(); id !== undefined; id = await claim()) ids.push(id);
  return ids;
}

describe("keys", () => {
  async function withUser(home: Home) {
    const alice = await registerAt(home.node, "alice");
    const device = await cryptoDevice(alice.userId, alice.deviceId);
    await home.node.keys.upload(alice, {
      device_keys: device.deviceKeys,
      one_time_keys: await device.oneTimeKeys(10),
      fallback_keys: await device.fallbackKey(),
    });
    return { alice, device };
  }
  const claimHere = async ({ node }: Home, { userId, deviceId }: { userId: string; deviceId: string }) => {
    const wanted = { [userId]: { [deviceId]: "signed_curve25519" } };
    const answer = await node.keys.claim(crypto.randomUUID(), wanted);
    const [id, key] = Object.entries(answer.one_time_keys[userId]?.[deviceId] ?? {})[0] ?? [];
    return (key as JsonObject | undefined)?.fallback === true ? undefined : id;
  };

  test("of all users are with the relay, and given out once, by it or by the node", async () => {
    const home = await withRelay();
    const { alice } = await withUser(home);
    const { relay } = home;
    await home.node.relays.add("relay.example");
    await vi.waitFor(() => expect(relay.keyMailbox.has(alice.userId)).toBe(true));
    const body = relay.keyMailbox.get(alice.userId) as KeyMailboxRequest;
    expect(body.devices).toMatchObject({ user_id: alice.userId, devices: [{ device_id: alice.deviceId }] });
    expect(Object.keys(body.device_keys)).toEqual([alice.deviceId]);
    expect(Object.keys(body.fallback_keys[alice.deviceId]!)).toHaveLength(1);
    expect(relay.oneTimeKeys.size).toBe(5);

    const out = [relay.claim(alice.userId, alice.deviceId), relay.claim(alice.userId, alice.deviceId)];
    relay.links[0]!.cut();
    const next = await home.reopen();
    await vi.waitFor(() => expect(relay.oneTimeKeys.size).toBe(4));
    out.push(...(await claimAll(() => claimHere(next, alice))));
    out.push(...(await claimAll(async () => relay.claim(alice.userId, alice.deviceId))));
    expect(out).toHaveLength(10);
    expect(new Set(out).size).toBe(10);
  });

  test("of a device that comes later follow; when one goes, its keys are taken away", async () => {
    const home = await withRelay();
    const { relay, node } = home;
    await node.relays.add("relay.example");
    await vi.waitFor(() => expect(relay.put.has("/server-keys")).toBe(true));
    const { alice } = await withUser(home);
    await vi.waitFor(() => expect(relay.oneTimeKeys.size).toBe(5), 8_000);
    await node.users.logout(alice);
    await vi.waitFor(() => expect(relay.oneTimeKeys.size).toBe(0), 8_000);
  });

  test("of users of other servers are none of the relay's business, and keep nobody's from it", async () => {
    const home = await withRelay();
    const { relay, node } = home;
    await node.relays.add("relay.example");
    await vi.waitFor(() => expect(relay.put.has("/server-keys")).toBe(true));
    const bob = await node.storage.names.intern("@bob:elsewhere.example");
    await node.storage.commit((write) => {
      write.append({ topic: "deviceList", user: bob, detail: "device/PHONE" });
    });
    const { alice } = await withUser(home);
    await vi.waitFor(() => expect(relay.keyMailbox.has(alice.userId)).toBe(true), 8_000);
    expect([...relay.keyMailbox.keys()]).toEqual([alice.userId]);
  });

  test("that a relay refuses cost nothing", async () => {
    const home = await withRelay();
    const { relay, node } = home;
    const { alice } = await withUser(home);
    relay.refusing.set(`PUT /key-mailbox/${encodeURIComponent(alice.userId)}`, {
      status: 413,
      errcode: "M_TOO_LARGE",
    });
    await node.relays.add("relay.example");
    await vi.waitFor(async () =>
      expect((await node.relays.states())[0]!.words).toContain("could not be left there: No."),
    );
    const ids = await claimAll(() => claimHere(home, alice));
    expect(ids).toHaveLength(10);
  });

  test("a deposit whose answer is lost is not given out twice", async () => {
    const home = await withRelay();
    const { relay, node } = home;
    const { alice } = await withUser(home);
    let isFirst = true;
    relay.after = (what) => {
      if (!isFirst || !what.startsWith("PUT /key-mailbox")) return;
      isFirst = false;
      relay.links[0]!.cut();
    };
    await node.relays.add("relay.example");
    await vi.waitFor(async () => expect((await node.relays.states())[0]!.connection).toBe("waiting"));
    const out = [relay.claim(alice.userId, alice.deviceId)];
    await node.relays.retry(relay.url);
    await vi.waitFor(() => expect(relay.oneTimeKeys.size).toBe(4));
    out.push(...(await claimAll(() => claimHere(home, alice))));
    out.push(...(await claimAll(async () => relay.claim(alice.userId, alice.deviceId))));
    expect(out).toHaveLength(10);
    expect(new Set(out).size).toBe(10);
  });
});

test("a way out: over a relay that is connected, else the browser's own", async () => {
  const relay = new FakeRelay();
  const direct = { fetch: async () => outsideAnswer(null, { status: 418 }) };
  const onSession = vi.fn();
  const { relays, egress, close } = openRelays({
    ...{ storage: await testStorage(), serverName: "node.example", origin: "", now: Date.now },
    key: { keyId: "ed25519:1", publicKey: new Uint8Array(32), sign: async () => new Uint8Array(64) },
    keys: () => ({
      ...{ usersWithDevices: async () => [], takeBack: async () => undefined },
      deposit: () => Promise.reject(new Error("nobody is here")),
      withdraw: () => Promise.reject(new Error("nobody is here")),
      queryLocal: () => Promise.reject(new Error("nobody is here")),
      userDevices: () => Promise.reject(new Error("nobody is here")),
    }),
    answerServers: () => Promise.reject(new Error("nobody asks")),
    onSession,
    isLimited: () => true,
    ...{ openKeeper: keeperOf([relay]), fetch: () => Promise.reject(new Error("not asked")) },
    later: () => () => undefined,
  });
  onTestFinished(close);
  const request: EgressRequest = {
    ...{ method: "GET", headers: {} },
    ...{ timeout: 5_000, maxBytes: 100 },
  };
  const push: EgressTarget = { kind: "push", url: "https://push.example.org/" };
  const go = async (target: EgressTarget = push) => {
    const answer = await egress(direct).fetch(target, request);
    return "failure" in answer ? answer : answer.status;
  };
  expect(await go()).toBe(418);
  await relays.add("relay.example");
  await vi.waitFor(async () => expect((await relays.states())[0]!.connection).toBe("connected"));
  expect(await go()).toBe(200);
  expect(onSession).toHaveBeenCalledOnce();
  expect(await go({ kind: "app-service", url: "http://localhost:29328/" })).toBe(418);
  relay.links[0]!.cut();
  await vi.waitFor(async () => expect((await relays.states())[0]!.connection).toBe("waiting"));
  expect(await go()).toBe(418);
  await relays.retry(relay.url);
  await vi.waitFor(() => expect(onSession).toHaveBeenCalledTimes(2));
  expect(await go()).toBe(200);
});
