import { describe, expect, test } from "vitest";
import type { LinkRequest } from "../../../src/link/api.ts";
import { mail } from "../mailbox/contract.ts";
import { keyDocument, person, RELAY } from "../support/people.ts";
import { call, linkAnswer, relay } from "../support/relay.ts";

const node = await person(1);
const second = await person(2);
const ALICE = `@alice:${node.name}`;

async function opened() {
  const one = relay();
  await one.enter(node);
  await one.enter(second);
  const handler = one.api(node.name);
  const ask = (method: string, path: string, json?: unknown, signal?: AbortSignal) =>
    call(handler, method, `/_relay/v1${path}`, json, signal);
  return { ...one, handler, ask };
}

describe("the mailbox of a session", () => {
  test("gives entries in order, and drops what is acknowledged", async () => {
    const { ask, mailbox } = await opened();
    const body = Uint8Array.from({ length: 256 }, (_, index) => index);
    await mailbox.put(node.name, mail({ body }));
    await mailbox.put(node.name, mail({ txnId: "t2" }));
    const first = await ask("GET", "/mailbox");
    expect(first).toMatchObject({
      status: 200,
      json: {
        entry: {
          origin: "origin.example",
          transaction_id: "t1",
          method: "PUT",
          uri: "/_matrix/federation/v1/send/t1",
          authorization: ['X-Matrix origin="origin.example"'],
          body: btoa(String.fromCharCode(...body)),
          received_at: 1_000_000,
        },
        entries_queued: true,
      },
    });
    const id = first.json.entry.entry_id;
    // The next one may be fetched while this one is being committed.
    const ahead = await ask("GET", `/mailbox?after=${id}`);
    expect(ahead.json).toMatchObject({ entry: { transaction_id: "t2" }, entries_queued: false });
    expect((await ask("GET", "/mailbox")).json).toEqual(first.json);
    expect((await ask("GET", `/mailbox?acknowledge=${id}`)).json).toEqual(ahead.json);
    const all = await ask("GET", `/mailbox?acknowledge=${ahead.json.entry.entry_id}`);
    expect(all.json).toEqual({ entries_queued: false });
  });

  test("a node that waits hears of mail when it comes, and of nobody else's", async () => {
    const { ask, mailbox } = await opened();
    const waiting = ask("GET", "/mailbox?wait=25000");
    await mailbox.put(second.name, mail());
    await mailbox.put(node.name, mail({ txnId: "mine" }));
    expect((await waiting).json.entry.transaction_id).toBe("mine");
  });

  test("waiting ends with its time, and with the session", async () => {
    const { ask } = await opened();
    expect((await ask("GET", "/mailbox?wait=5")).json).toEqual({ entries_queued: false });
    const session = new AbortController();
    const waiting = ask("GET", "/mailbox?wait=25000", undefined, session.signal);
    session.abort();
    expect((await waiting).json).toEqual({ entries_queued: false });
  });

  test("another's entries are neither seen nor acknowledged", async () => {
    const { ask, mailbox } = await opened();
    await mailbox.put(second.name, mail());
    expect((await ask("GET", "/mailbox?acknowledge=1000&after=0")).json).toEqual({ entries_queued: false });
    expect(await mailbox.backlog(second.name)).toMatchObject({ entries: 1 });
  });

  test.each(["after=-1", "acknowledge=x", "wait=1.5", "after=9007199254740993", "after="])(
    "%s is 400",
    async (query) => {
      const { ask } = await opened();
      expect(await ask("GET", `/mailbox?${query}`)).toMatchObject({
        status: 400,
        json: { errcode: "M_INVALID_PARAM" },
      });
    },
  );
});

describe("what a node tells its relay", () => {
  test("that it goes to sleep", async () => {
    const { ask, awake } = await opened();
    awake.set(node.name, async () => linkAnswer(200, {}));
    expect((await ask("GET", "/status")).json).toMatchObject({ asleep: false });
    expect((await ask("PUT", "/presence", { asleep: true })).status).toBe(200);
    expect((await ask("GET", "/status")).json).toMatchObject({ asleep: true });
  });

  test("its key document, if it is its own and signed with its key; an older one changes nothing", async () => {
    const { ask, documents } = await opened();
    const put = (document: unknown) => ask("PUT", "/server-keys", { document });
    const good = await keyDocument(node, { valid_until_ts: 2 });
    expect((await put(good)).status).toBe(200);
    expect((await put(await keyDocument(node, { valid_until_ts: 1 }))).status).toBe(200);
    expect(await documents.read("server-keys", node.name)).toEqual(good);
    expect(await put(await keyDocument(second))).toMatchObject({ status: 400 });
    expect(await put({ ...good, valid_until_ts: 3 })).toMatchObject({
      status: 400,
      json: { errcode: "M_INVALID_SIGNATURE" },
    });
    expect(await put(await keyDocument({ ...second, name: node.name }))).toMatchObject({
      status: 403,
      json: { errcode: "M_FORBIDDEN" },
    });
    expect(await documents.read("server-keys", node.name)).toEqual(good);
  });

  test("keys of its users, and of nobody else's", async () => {
    const { ask } = await opened();
    const keys = {
      devices: {},
      device_keys: {},
      one_time_keys: { D: { "signed_curve25519:1": "k" } },
      fallback_keys: {},
    };
    const path = (user: string) => `/key-mailbox/${encodeURIComponent(user)}`;
    expect((await ask("PUT", path(ALICE), keys)).status).toBe(200);
    for (const user of [`@bob:${second.name}`, "alice", `@a:${node.name}:443`]) {
      expect(await ask("PUT", path(user), keys)).toMatchObject({ status: 400 });
    }
    const back = await ask("POST", "/key-mailbox/take-back", {});
    const key = { user_id: ALICE, device_id: "D", key_id: "signed_curve25519:1" };
    expect(back.json).toEqual({ number: 1, given: [], left: [key] });
    expect((await ask("POST", "/key-mailbox/take-back", { acknowledge: 1 })).json).toMatchObject({
      number: 2,
    });
  });

  test("where it is woken up, its names, and whether clients may reach it", async () => {
    const { ask, seen } = await opened();
    const subscription = { endpoint: "https://push.example/x", keys: { p256dh: "BA", auth: "YQ" } };
    expect((await ask("PUT", "/wake-up", { subscription })).status).toBe(200);
    expect(seen.subscriptions.get(node.name)).toEqual(subscription);
    expect((await ask("PUT", "/name", { label: "alice" })).json).toEqual({ name: `alice.${RELAY}` });
    expect((await ask("PUT", "/client-api", { open: true })).status).toBe(200);
    expect((await ask("GET", "/status")).json).toEqual({
      asleep: true,
      mailbox: { entries: 0, bytes: 0 },
      names: [node.name, `alice.${RELAY}`],
      client_api: true,
      wake_up: true,
    });
    expect((await ask("PUT", "/wake-up", { subscription: null })).status).toBe(200);
    expect((await ask("GET", "/status")).json).toMatchObject({ wake_up: false });
  });

  test.each<[method: string, path: string, json: unknown, status: number]>([
    ["PUT", "/presence", {}, 400],
    ["PUT", "/presence", undefined, 400],
    ["PUT", "/presence", { asleep: "yes" }, 400],
    ["PUT", "/server-keys", { document: [] }, 400],
    ["PUT", "/key-mailbox/%", {}, 400],
    [
      "PUT",
      "/wake-up",
      { subscription: { endpoint: "http://push.example", keys: { p256dh: "BA", auth: "YQ" } } },
      400,
    ],
    ["PUT", "/name", { label: 1 }, 400],
    ["PUT", "/name", { label: "www" }, 400],
    ["PUT", "/client-api", { open: 1 }, 400],
    ["POST", "/key-mailbox/take-back", { acknowledge: -1 }, 400],
    ["POST", "/presence", {}, 405],
    ["GET", "/nothing", undefined, 404],
    ["GET", "/mailbox/", undefined, 404],
    ["PUT", "/presence", "x".repeat(512 * 1024), 413],
  ])("%s %s with %j is %i", async (method, path, json, status) => {
    const { ask } = await opened();
    const answer = await ask(method, path, json);
    expect(answer).toMatchObject({ status, json: { errcode: expect.stringMatching(/^M_/) } });
  });

  test("a body that is not JSON, or not text, is 400; one that is not read is given up", async () => {
    const { handler } = await opened();
    const ask = (target: string, body: ReadableStream<Uint8Array>) =>
      handler({ method: "PUT", target, headers: [], body }, new AbortController().signal);
    for (const bytes of [new TextEncoder().encode("{"), new Uint8Array([0xff])]) {
      expect((await ask("/_relay/v1/presence", new Blob([bytes]).stream())).status).toBe(400);
    }
    let cancelled = false;
    const cancel = () => {
      cancelled = true;
    };
    expect((await ask("/_relay/v1/nothing", new ReadableStream({ cancel }))).status).toBe(404);
    expect(cancelled).toBe(true);
  });
});

describe("requests to others", () => {
  const request = (target: string, purpose?: string): LinkRequest => ({
    method: "GET",
    target,
    headers: purpose === undefined ? [["accept", "*/*"]] : [["X-Hearth-Purpose", purpose]],
  });

  test("are handed to the egress, in the node's name and for their purpose", async () => {
    const { handler, seen } = await opened();
    const target = "matrix://nobody.example/_matrix/federation/v1/version";
    const answer = await handler(request(target, "federation"), new AbortController().signal);
    expect(answer.headers).toEqual([["x-hearth-egress", "unreachable"]]);
    expect(seen.egress).toEqual([[node.name, "federation", target]]);
  });

  test.each([undefined, "", "all", "Federation"])(
    "without a good purpose (%s) they are not",
    async (purpose) => {
      const { handler, seen } = await opened();
      const answer = await handler(request("https://a.example/", purpose), new AbortController().signal);
      expect(answer.status).toBe(400);
      expect(seen.egress).toEqual([]);
    },
  );
});
