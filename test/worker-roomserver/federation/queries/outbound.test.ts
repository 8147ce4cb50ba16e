import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import type { JsonBytes } from "../../../../src/worker-roomserver/node/requester.ts";
import type { HierarchyRoom } from "../../../../src/worker-roomserver/room/api.ts";
import { registerAt } from "../../support/node.ts";
import { federatedNode } from "../support/federated-node.ts";
import { TestNetwork } from "../support/network.ts";
import { matrixError, raw, scriptedServer, told } from "../support/scripted-server.ts";

const request = () => crypto.randomUUID();
const said = <T = JsonObject>(bytes: JsonBytes) => JSON.parse(new TextDecoder().decode(bytes)) as T;

/** Two nodes that reach each other: alice is here, bob there. */
async function twoNodes() {
  const network = new TestNetwork();
  const here = await federatedNode(network);
  const there = await federatedNode(network);
  const alice = await registerAt(here.node, "alice");
  const bob = await registerAt(there.node, "bob");
  return { network, here, there, alice, bob };
}

/** A node, and another server that says what a test wants. */
async function nodeAndScript() {
  const network = new TestNetwork();
  const here = await federatedNode(network);
  const alice = await registerAt(here.node, "alice");
  const other = await scriptedServer(network);
  return { network, node: here.node, alice, other };
}

const fails = (status: number, errcode: string) => ({ status, errcode });

describe("profiles of users of other servers", () => {
  test("are asked for once, and remembered for when their server is away", async () => {
    const { network, here, there, bob } = await twoNodes();
    await there.node.users.setProfileField(bob, bob.userId, "displayname", "Bob");
    const [one, other] = await Promise.all([
      here.node.users.profile(bob.userId),
      here.node.users.profile(bob.userId),
    ]);
    expect([one, other]).toEqual([{ displayname: "Bob" }, { displayname: "Bob" }]);
    await there.close();
    expect(await here.node.users.profile(bob.userId)).toEqual({ displayname: "Bob" });
    expect(network.carried.filter(({ uri }) => uri.includes("query/profile"))).toHaveLength(1);
  });

  test("fail as their server says, but never as if the client's own session had", async () => {
    const { here, there } = await twoNodes();
    const nobody = `@nobody:${there.serverName}`;
    await expect(here.node.users.profile(nobody)).rejects.toMatchObject(fails(404, "M_NOT_FOUND"));
    await there.node.settings.set({ profiles_for_servers: false });
    await expect(here.node.users.profile(nobody)).rejects.toMatchObject(fails(403, "M_FORBIDDEN"));
    const { node, other } = await nodeAndScript();
    const userId = `@x:${other.serverName}`;
    for (const [status, errcode] of [
      [401, "M_UNKNOWN_TOKEN"],
      [429, "M_LIMIT_EXCEEDED"],
      [500, "M_UNKNOWN"],
    ] as const) {
      other.answer(() => matrixError(status, errcode));
      await expect(node.users.profile(userId)).rejects.toMatchObject(fails(502, "M_UNKNOWN"));
    }
    await expect(node.users.profile("@x:nowhere.example")).rejects.toMatchObject(fails(502, "M_UNKNOWN"));
  });

  test("have names and avatars of text alone", async () => {
    const { node, other } = await nodeAndScript();
    other.answer(() => told({ displayname: { a: 1 }, avatar_url: null, "m.tz": "UTC" }));
    expect(await node.users.profile(`@x:${other.serverName}`)).toEqual({ "m.tz": "UTC" });
    for (const nonsense of ["[]", "7", "nothing"]) {
      other.answer(() => raw(nonsense, [["content-type", "application/json"]]));
      await expect(node.users.profile(`@y:${other.serverName}`)).rejects.toMatchObject({ status: 502 });
    }
  });
});

describe("aliases of other servers", () => {
  test("lead to the room and the servers in it", async () => {
    const { here, there, bob } = await twoNodes();
    const { room_id } = await there.node.room.createRoom(request(), bob, { room_alias_name: "town" });
    expect(await here.node.room.resolveAlias(`#town:${there.serverName}`)).toEqual({
      room_id,
      servers: [there.serverName],
    });
    await expect(here.node.room.resolveAlias(`#no:${there.serverName}`)).rejects.toMatchObject(
      fails(404, "M_NOT_FOUND"),
    );
    await there.close();
    await expect(here.node.room.resolveAlias(`#town:${there.serverName}`)).rejects.toMatchObject(
      fails(502, "M_UNKNOWN"),
    );
  });

  test("lead nowhere where the answer is nonsense, and to servers that have names", async () => {
    const { node, other } = await nodeAndScript();
    const alias = `#a:${other.serverName}`;
    other.answer(() => told({ room_id: "#room:x", servers: ["x"] }));
    await expect(node.room.resolveAlias(alias)).rejects.toMatchObject(fails(502, "M_UNKNOWN"));
    const servers = ["good.example", 7, "no name", ...Array.from({ length: 500 }, (_, i) => `s${i}.example`)];
    other.answer(() => told({ room_id: "!room:x.example", servers }));
    const found = await node.room.resolveAlias(alias);
    expect(found.room_id).toBe("!room:x.example");
    expect(found.servers).toHaveLength(51);
    expect(found.servers).toEqual(expect.arrayContaining(["good.example", other.serverName]));
    expect(found.servers).not.toContain("no name");
  });

  test("may be a room's own where they lead to it, and hold up nobody who writes to it meanwhile", async () => {
    const { node, alice, other } = await nodeAndScript();
    const { room_id: roomId } = await node.room.createRoom(request(), alice, {});
    const name = (alias: string) =>
      node.room.setState(request(), alice, {
        ...{ roomId, type: "m.room.canonical_alias", stateKey: "", content: { alias } },
      });
    const alias = `#mine:${other.serverName}`;
    let answer: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      other.answer(async () => {
        resolve();
        await new Promise<void>((go) => {
          answer = go;
        });
        return told({ room_id: roomId, servers: [] });
      });
    });
    const naming = name(alias);
    await asked;
    const content = { msgtype: "m.text", body: "meanwhile" };
    await node.room.sendEvent(alice, { roomId, type: "m.room.message", txnId: "1", content });
    answer();
    await naming;
    other.answer(() => told({ room_id: "!elsewhere:x.example", servers: [] }));
    await expect(name(`#theirs:${other.serverName}`)).rejects.toMatchObject(fails(400, "M_BAD_ALIAS"));
    other.answer(() => matrixError(404, "M_NOT_FOUND"));
    await expect(name(`#none:${other.serverName}`)).rejects.toMatchObject(fails(400, "M_BAD_ALIAS"));
  });
});

describe("the directory of another server", () => {
  test("is passed on page by page, and searched", async () => {
    const { here, there, bob } = await twoNodes();
    for (const name of ["Town hall", "Market"]) {
      await there.node.room.createRoom(request(), bob, { visibility: "public", preset: "public_chat", name });
    }
    const list = async (query: object) =>
      said<{ chunk: { name: string }[]; next_batch?: string }>(
        await here.node.roomDirectory.publicRooms({ server: there.serverName, ...query }),
      );
    const first = await list({ limit: 1 });
    const second = await list({ limit: 1, since: first.next_batch });
    expect([...first.chunk, ...second.chunk].map(({ name }) => name).sort()).toEqual(["Market", "Town hall"]);
    expect((await list({ filter: { generic_search_term: "hall" } })).chunk).toMatchObject([
      { name: "Town hall" },
    ]);
  });

  test("is read before it goes to clients", async () => {
    const { node, other } = await nodeAndScript();
    other.answer(() =>
      told({ chunk: [{ room_id: "!a:b.example", name: 7, num_joined_members: -3 }, {}, "x"], next_batch: 5 }),
    );
    expect(said(await node.roomDirectory.publicRooms({ server: other.serverName }))).toEqual({
      chunk: [
        {
          ...{ room_id: "!a:b.example", num_joined_members: 0, join_rule: "public" },
          ...{ world_readable: false, guest_can_join: false },
        },
      ],
    });
    const asking = (server: string) => node.roomDirectory.publicRooms({ server });
    await expect(asking("no name")).rejects.toMatchObject(fails(400, "M_INVALID_PARAM"));
    await expect(asking("nowhere.example")).rejects.toMatchObject(fails(502, "M_UNKNOWN"));
    other.answer(() => matrixError(403, "M_FORBIDDEN"));
    await expect(asking(other.serverName)).rejects.toMatchObject(fails(403, "M_FORBIDDEN"));
  });
});

describe("rooms elsewhere", () => {
  type Tree = { rooms: HierarchyRoom[] };
  const idsOf = (bytes: JsonBytes) => said<Tree>(bytes).rooms.map(({ room_id }) => room_id);

  test("the tree of a space goes on at the servers that its events name", async () => {
    const { network, here, there, alice, bob } = await twoNodes();
    const space = (
      children: string[],
      via: string,
      preset: "public_chat" | "private_chat" = "public_chat",
    ) => ({
      ...{ preset, creation_content: { type: "m.space" } },
      initial_state: children.map((state_key) => ({
        ...{ type: "m.space.child", state_key, content: { via: [via] } },
      })),
    });
    const create = async (body: object) => (await there.node.room.createRoom(request(), bob, body)).room_id;
    const leaf = await create({ preset: "public_chat", name: "Leaf" });
    const closed = await create({ preset: "private_chat" });
    const inner = await create(space([leaf, closed], there.serverName));
    const { room_id: root } = await here.node.room.createRoom(
      request(),
      alice,
      space([inner], there.serverName) as never,
    );
    const tree = await here.node.roomDirectory.hierarchy(alice, root, {});
    expect(idsOf(tree)).toEqual([root, inner, leaf]);
    await here.node.roomDirectory.hierarchy(alice, root, {});
    expect(network.carried.filter(({ uri }) => uri.includes("/hierarchy/"))).toHaveLength(1);

    const summary = await here.node.roomDirectory.summary(alice, leaf, [there.serverName]);
    expect(summary).toMatchObject({ room_id: leaf, name: "Leaf", membership: "leave" });
    expect(summary).not.toHaveProperty("children_state");
    for (const [who, roomId] of [
      [alice, closed],
      [undefined, leaf],
    ] as const) {
      await expect(here.node.roomDirectory.summary(who, roomId, [there.serverName])).rejects.toMatchObject(
        fails(404, "M_NOT_FOUND"),
      );
    }
  });

  test("only what was asked for is believed, and only what the user may see is shown", async () => {
    const { node, alice, other } = await nodeAndScript();
    const { room_id: allowed } = await node.room.createRoom(request(), alice, {});
    const via = [other.serverName];
    const ids = { space: "!space:x.example", told: "!told:x.example", hidden: "!hidden:x.example" };
    const child = (state_key: string) => ({
      ...{ type: "m.space.child", sender: "@a:x.example", state_key, content: { via }, origin_server_ts: 1 },
    });
    other.answer(() =>
      told({
        room: {
          ...{ room_id: ids.space, room_type: "m.space", join_rule: "public" },
          children_state: [child(ids.told), child(ids.hidden), { type: "m.space.child" }, child("nonsense")],
        },
        children: [
          { room_id: ids.told, join_rule: "restricted", allowed_room_ids: [allowed], name: "Told" },
          { room_id: ids.hidden, join_rule: "restricted", allowed_room_ids: ["!other:x.example"] },
          { room_id: "!unasked:x.example", join_rule: "public" },
        ],
        inaccessible_children: [],
      }),
    );
    const { room_id: root } = await node.room.createRoom(request(), alice, {
      creation_content: { type: "m.space" },
      initial_state: [{ type: "m.space.child", state_key: ids.space, content: { via } }],
    });
    const tree = await node.roomDirectory.hierarchy(alice, root, {});
    expect(idsOf(tree)).toEqual([root, ids.space, ids.told]);
    // Whoever is asked about one room and tells of another has said nothing.
    await expect(
      node.roomDirectory.summary(alice, "!another:x.example", [other.serverName]),
    ).rejects.toMatchObject(fails(404, "M_NOT_FOUND"));
  });

  test("a tree whose servers are not there is shown as far as it is known", async () => {
    const { node, alice } = await nodeAndScript();
    const { room_id: root } = await node.room.createRoom(request(), alice, {
      creation_content: { type: "m.space" },
      initial_state: [
        { type: "m.space.child", state_key: "!gone:x.example", content: { via: ["nowhere.example"] } },
      ],
    });
    expect(idsOf(await node.roomDirectory.hierarchy(alice, root, {}))).toEqual([root]);
    await expect(node.roomDirectory.hierarchy(alice, "!gone:x.example", {})).rejects.toMatchObject(
      fails(403, "M_FORBIDDEN"),
    );
  });
});
