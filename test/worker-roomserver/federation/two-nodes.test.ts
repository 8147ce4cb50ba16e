import { describe, expect, test, vi } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import type { DeviceRequester } from "../../../src/worker-roomserver/node/requester.ts";
import { registerAt } from "../support/node.ts";
import { type FederatedNode, federatedNode } from "./support/federated-node.ts";
import { TestNetwork } from "./support/network.ts";

type Someone = { home: FederatedNode; user: DeviceRequester };

async function someone(network: TestNetwork, name: string): Promise<Someone> {
  const home = await federatedNode(network);
  return { home, user: await registerAt(home.node, name) };
}

const parsed = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as JsonObject;

const say = ({ home, user }: Someone, roomId: string, body: string) =>
  home.node.room.sendEvent(user, {
    ...{ roomId, type: "m.room.message", txnId: crypto.randomUUID() },
    content: { msgtype: "m.text", body },
  });

const change = (
  { home, user }: Someone,
  roomId: string,
  action: "join" | "leave" | "invite" | "kick",
  target: string = user.userId,
) => home.node.room.changeMembership(crypto.randomUUID(), user, { roomId, action, target });

/** What has been said, the oldest first. */
async function heard({ home, user }: Someone, roomId: string): Promise<string[]> {
  const query = { dir: "b" as const, limit: 100, filter: { types: ["m.room.message"] } };
  const { chunk } = parsed(await home.node.room.messages(user, roomId, query)) as {
    chunk: { content: { body: string } }[];
  };
  return chunk.map(({ content }) => content.body).reverse();
}

const hears = (who: Someone, roomId: string, wanted: string[]) =>
  vi.waitFor(async () => expect(await heard(who, roomId)).toEqual(wanted), { timeout: 10_000 });

const members = async ({ home, user }: Someone, roomId: string) =>
  Object.keys(parsed(await home.node.room.joinedMembers(user, roomId)).joined as JsonObject).sort();

/** Two people on two servers, in a room that the first has made. */
async function together(version?: string) {
  const network = new TestNetwork();
  const [alice, bob] = [await someone(network, "alice"), await someone(network, "bob")];
  const { room_id: roomId } = await alice.home.node.room.createRoom(crypto.randomUUID(), alice.user, {
    preset: "private_chat",
    ...(version !== undefined && { room_version: version }),
    invite: [bob.user.userId],
  });
  await change(bob, roomId, "join");
  return { network, alice, bob, roomId };
}

describe("two homeservers", () => {
  test.each(["1", "5", "6", "10", "11", "12"])("talk in a room of version %s", async (version) => {
    const { alice, bob, roomId } = await together(version);
    await vi.waitFor(async () => expect(await members(alice, roomId)).toHaveLength(2));
    await say(alice, roomId, "Hello, Bob");
    await hears(bob, roomId, ["Hello, Bob"]);
    await say(bob, roomId, "Hello, Alice");
    await hears(alice, roomId, ["Hello, Bob", "Hello, Alice"]);
    await change(bob, roomId, "leave");
    await vi.waitFor(async () => expect(await members(alice, roomId)).toEqual([alice.user.userId]));
    await say(alice, roomId, "Alone again");
    expect(await heard(bob, roomId)).toEqual(["Hello, Bob", "Hello, Alice"]);
  });

  test("who comes back is in the room again, and hears what was said meanwhile where that is shared", async () => {
    const { alice, bob, roomId } = await together();
    await change(bob, roomId, "leave");
    await vi.waitFor(async () => expect(await members(alice, roomId)).toHaveLength(1));
    await say(alice, roomId, "While you were away");
    await change(alice, roomId, "invite", bob.user.userId);
    await change(bob, roomId, "join");
    await say(alice, roomId, "Back");
    await vi.waitFor(async () => expect((await heard(bob, roomId)).at(-1)).toBe("Back"), { timeout: 10_000 });
    await hears(bob, roomId, ["While you were away", "Back"]);
  });

  test("an invite that is taken back is gone, and one that is declined is known to be", async () => {
    const network = new TestNetwork();
    const [alice, bob] = [await someone(network, "alice"), await someone(network, "bob")];
    const { room_id: roomId } = await alice.home.node.room.createRoom(crypto.randomUUID(), alice.user, {
      invite: [bob.user.userId],
    });
    const invitedTo = async () =>
      (
        await bob.home.node.sync
          .sync(
            bob.user,
            { fullState: false, setPresence: "online", timeout: 0, stateSection: "state" },
            "a sync",
          )
          .then(parsed)
      ).rooms as { invite?: JsonObject } | undefined;
    expect(Object.keys((await invitedTo())?.invite ?? {})).toEqual([roomId]);
    await change(alice, roomId, "kick", bob.user.userId);
    await vi.waitFor(async () => expect((await invitedTo())?.invite ?? {}).toEqual({}), { timeout: 10_000 });
    await change(alice, roomId, "invite", bob.user.userId);
    expect(Object.keys((await invitedTo())?.invite ?? {})).toEqual([roomId]);
    await change(bob, roomId, "leave");
    const membership = async () =>
      (await alice.home.node.room.stateEvent(alice.user, {
        ...{ roomId, type: "m.room.member", stateKey: bob.user.userId, format: "content" },
      })) as JsonObject;
    await vi.waitFor(async () => expect((await membership()).membership).toBe("leave"), { timeout: 10_000 });
  });

  test("what is said while one of them is away arrives when it is back, in order and once", async () => {
    const { alice, bob, roomId } = await together();
    await say(alice, roomId, "first");
    await hears(bob, roomId, ["first"]);
    await bob.home.close();
    for (let i = 0; i < 5; i++) await say(alice, roomId, `missed ${i}`);
    const back = { ...bob, home: await bob.home.reopen() };
    await alice.home.node.federation.retryNow(back.home.serverName);
    await say(alice, roomId, "last");
    const all = ["first", ...[0, 1, 2, 3, 4].map((i) => `missed ${i}`), "last"];
    await hears(back, roomId, all);
    await say(back, roomId, "thanks");
    await hears(alice, roomId, [...all, "thanks"]);
  });

  test("both talk at once, and both hear all of it", async () => {
    const { alice, bob, roomId } = await together();
    const said = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        await say(i % 2 === 0 ? alice : bob, roomId, `${i}`);
        return `${i}`;
      }),
    );
    for (const who of [alice, bob]) {
      await vi.waitFor(async () => expect((await heard(who, roomId)).sort()).toEqual([...said].sort()), {
        timeout: 20_000,
      });
    }
  });
});
