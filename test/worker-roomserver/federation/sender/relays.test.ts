import { describe, expect, test, vi } from "vitest";
import { serverKeyDocument } from "../../../../src/matrix/server-keys.ts";
import { namedServer } from "../support/named-server.ts";
import { type RigOptions, senderRig } from "./support/rig.ts";

const RELAYS = ["https://relay-a.example", "https://relay-b.example:8443"];
const HOSTS = ["relay-a.example", "relay-b.example:8443"] as const;

/** A room that Alice and a user of this server are in. */
async function shared(server: string, options: RigOptions = {}) {
  const rig = await senderRig(options);
  const roomId = await rig.create();
  await rig.joins(roomId, `@bob:${server}`);
  rig.servers.down(server);
  await rig.sender.start();
  const waiting = async () => {
    const all = await rig.sender.forOwner.destinations();
    return all.find(({ serverName }) => serverName === server)?.waiting.pdus;
  };
  return { rig, roomId, waiting };
}

describe("what a server that is away should get", () => {
  test("goes to all its relays, under the id that the server itself was asked with", async () => {
    const { rig, roomId, waiting } = await shared("away.example");
    await rig.sender.forOwner.setRelays("away.example", RELAYS);
    await rig.say(roomId, "hello");
    for (const host of HOSTS) {
      await vi.waitFor(() => expect(rig.servers.messages(host)).toEqual(["hello"]));
    }
    await vi.waitFor(async () => expect(await waiting()).toBe(0));
    const [direct] = rig.servers.asked.get("away.example")!;
    for (const host of HOSTS) {
      expect(rig.servers.taken.get(host)).toMatchObject([{ id: direct?.id, for: "away.example" }]);
    }
  });

  test("counts as delivered when one of them takes it, and comes to them alone as long as it is away", async () => {
    const { rig, roomId, waiting } = await shared("away.example");
    rig.servers.on(HOSTS[0], () => new Promise(() => undefined));
    await rig.sender.forOwner.setRelays("away.example", RELAYS);
    for (const body of ["one", "two", "three"]) await rig.say(roomId, body);
    await vi.waitFor(() => expect(rig.servers.messages(HOSTS[1])).toEqual(["one", "two", "three"]));
    await vi.waitFor(async () => expect(await waiting()).toBe(0));
    expect(rig.servers.asked.get("away.example")).toHaveLength(1);
    // The one that hangs has one request, however much there is to send.
    expect(rig.servers.asked.get(HOSTS[0])).toHaveLength(1);
  });

  test("waits where none of them takes it, and goes to the server itself when that is back", async () => {
    const { rig, roomId, waiting } = await shared("away.example");
    for (const host of HOSTS) rig.servers.on(host, () => ({ status: 500 }));
    await rig.sender.forOwner.setRelays("away.example", RELAYS);
    await rig.say(roomId, "hello");
    await vi.waitFor(() => expect(HOSTS.every((host) => rig.servers.asked.has(host))).toBe(true));
    await vi.waitFor(async () => expect(await waiting()).toBe(1));
    rig.servers.up("away.example");
    rig.destinations.heardFrom("away.example");
    await vi.waitFor(() => expect(rig.servers.messages("away.example")).toEqual(["hello"]));
  });

  test("stays here for as many failures as it is let", async () => {
    const { rig, roomId } = await shared("away.example", { assumedOfflineAfter: 3 });
    await rig.sender.forOwner.setRelays("away.example", RELAYS);
    await rig.say(roomId, "hello");
    for (let failures = 1; failures < 3; failures++) {
      await vi.waitFor(() => expect(rig.servers.asked.get("away.example")).toHaveLength(failures));
      expect(rig.servers.asked.has(HOSTS[0])).toBe(false);
      await vi.waitFor(async () => expect(await rig.destinations.isReady("away.example")).toBe(false));
      rig.destinations.heardFrom("away.example");
    }
    await vi.waitFor(() => expect(rig.servers.messages(HOSTS[0])).toEqual(["hello"]));
  });

  test("goes to the relay that its name says is its home", async () => {
    const { serverName } = await namedServer();
    const { rig, roomId } = await shared(`${serverName}.relay-a.example`);
    await rig.say(roomId, "hello");
    await vi.waitFor(() => expect(rig.servers.messages(HOSTS[0])).toEqual(["hello"]));
  });
});

describe("relays of a server", () => {
  const relaysOf = async (rig: Awaited<ReturnType<typeof senderRig>>, server: string) => {
    const all = await rig.sender.forOwner.destinations();
    return all.find(({ serverName }) => serverName === server)?.relays;
  };

  test("are read from its key document when it is reached, where that is signed by the key it is named by", async () => {
    const good = await namedServer();
    const other = await namedServer();
    const rig = await senderRig();
    const roomId = await rig.create();
    for (const { serverName } of [good, other]) {
      // The second one is signed, but by nobody whom its name knows.
      const urls = [...RELAYS, "http://localhost:1", "https://relay.example/path"];
      const document = await serverKeyDocument(serverName, good.key, Date.now(), urls);
      rig.servers.documents.set(serverName, document);
    }
    for (const { serverName } of [good, other]) await rig.joins(roomId, `@bob:${serverName}`);
    await rig.sender.start();
    await rig.say(roomId, "hello");
    await vi.waitFor(async () => expect(await relaysOf(rig, good.serverName)).toEqual(RELAYS));
    await vi.waitFor(async () => {
      expect((await rig.storage.get("relaysOfServers", other.serverName))?.readAt).toBeGreaterThan(0);
    });
    expect(await relaysOf(rig, other.serverName)).toEqual([]);
  });

  test("are those of the owner's hand too, each once, and survive a restart", async () => {
    const rig = await senderRig();
    await rig.sender.learnRelays("one.example", { "io.hearth.relays": ["https://relay-a.example", 3, "//"] });
    await rig.sender.forOwner.setRelays("one.example", [...RELAYS].reverse());
    const next = await senderRig({ name: rig.storage.name, destinations: rig.destinations });
    rig.destinations.failed("one.example", "It is not there.");
    expect(await relaysOf(next, "one.example")).toEqual([...RELAYS].reverse());
    await next.sender.forOwner.setRelays("one.example", []);
    expect(await relaysOf(next, "one.example")).toEqual(["https://relay-a.example"]);
  });

  test.each([
    ["that is no address", ["https://relay.example/path"]],
    ["that is not reached by https", ["http://relay.example"]],
    ["of which there are many", Array.from({ length: 9 }, (_, i) => `https://relay${i}.example`)],
  ])("by hand: one %s is refused", async (_, urls) => {
    const rig = await senderRig();
    await expect(rig.sender.forOwner.setRelays("one.example", urls)).rejects.toMatchObject({
      errcode: "M_INVALID_PARAM",
    });
  });
});
