import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import { cryptoDevice } from "../../support/crypto-device.ts";
import { registerAt } from "../../support/node.ts";
import { federatedNode } from "../support/federated-node.ts";
import { askAs, askOpenly, joinAs } from "../support/guest.ts";
import { namedServer } from "../support/named-server.ts";
import { TestNetwork } from "../support/network.ts";

const request = () => crypto.randomUUID();

/** A node with alice, and another server that asks. */
async function asked() {
  const { node, serverName } = await federatedNode(new TestNetwork());
  const alice = await registerAt(node, "alice");
  const guest = await namedServer();
  const ask = (question: string, content?: JsonObject) =>
    askAs(guest, node, `/_matrix/federation/v1/${question}`, content);
  return { node, serverName, alice, guest, ask };
}

const named = encodeURIComponent;
const fails = (status: number, errcode: string) => ({ status, body: { errcode } });

describe("query/directory", () => {
  test("an alias leads to the room and the servers that are in it", async () => {
    const { node, serverName, alice, guest, ask } = await asked();
    const { room_id } = await node.room.createRoom(request(), alice, {
      ...{ room_alias_name: "town", preset: "public_chat" },
    });
    const query = `query/directory?room_alias=${named(`#town:${serverName}`)}`;
    expect((await ask(query)).body).toEqual({ room_id, servers: [serverName] });
    await joinAs(guest, node, room_id);
    expect((await ask(query)).body).toEqual({ room_id, servers: [serverName, guest.serverName] });
  });

  test("others' aliases and unknown ones are not resolved", async () => {
    const { serverName, ask } = await asked();
    const query = (alias: string) => ask(`query/directory?room_alias=${named(alias)}`);
    expect(await query(`#nothing:${serverName}`)).toMatchObject(fails(404, "M_NOT_FOUND"));
    expect(await query("#town:elsewhere.example")).toMatchObject(fails(400, "M_INVALID_PARAM"));
    expect(await query("town")).toMatchObject(fails(400, "M_INVALID_PARAM"));
    expect(await ask("query/directory")).toMatchObject(fails(400, "M_MISSING_PARAM"));
  });
});

describe("query/profile", () => {
  test("is the profile, or the field asked for alone", async () => {
    const { node, alice, ask } = await asked();
    await node.users.setProfileField(alice, alice.userId, "displayname", "Alice");
    await node.users.setProfileField(alice, alice.userId, "m.tz", "Europe/Vienna");
    const query = `query/profile?user_id=${named(alice.userId)}`;
    expect((await ask(query)).body).toEqual({ displayname: "Alice", "m.tz": "Europe/Vienna" });
    expect((await ask(`${query}&field=displayname`)).body).toEqual({ displayname: "Alice" });
    expect(await ask(`${query}&field=avatar_url`)).toMatchObject({ status: 200, body: {} });
    expect((await ask(`${query}&field=constructor`)).body).toEqual({});
  });

  test("is of this server's users alone, and only where the owner allows it", async () => {
    const { node, serverName, alice, ask } = await asked();
    const query = (userId: string) => ask(`query/profile?user_id=${named(userId)}`);
    expect(await query(`@nobody:${serverName}`)).toMatchObject(fails(404, "M_NOT_FOUND"));
    expect(await query("@somebody:elsewhere.example")).toMatchObject(fails(400, "M_INVALID_PARAM"));
    await node.settings.set({ profiles_for_servers: false });
    expect(await query(alice.userId)).toMatchObject(fails(403, "M_FORBIDDEN"));
  });
});

test("queries of other types are not answered", async () => {
  const { ask } = await asked();
  expect(await ask("query/weather?at=here")).toMatchObject(fails(404, "M_NOT_FOUND"));
});

describe("publicRooms", () => {
  test("lists the published rooms, a page at a time, and those that are searched for", async () => {
    const { node, alice, ask } = await asked();
    for (const name of ["Town hall", "Market"]) {
      await node.room.createRoom(request(), alice, { visibility: "public", preset: "public_chat", name });
    }
    const first = await ask("publicRooms?limit=1");
    expect(first.body).toMatchObject({ chunk: [{}], total_room_count_estimate: 2 });
    const second = await ask(`publicRooms?limit=1&since=${named(String(first.body.next_batch))}`);
    const names = [first, second].flatMap(({ body }) => (body.chunk as JsonObject[]).map(({ name }) => name));
    expect(names.sort()).toEqual(["Market", "Town hall"]);
    const search = await ask("publicRooms", { filter: { generic_search_term: "market" } });
    expect(search.body).toMatchObject({ chunk: [{ name: "Market" }], total_room_count_estimate: 1 });
    await node.settings.set({ public_rooms_for_servers: false });
    expect(await ask("publicRooms")).toMatchObject(fails(403, "M_FORBIDDEN"));
    expect(await ask("publicRooms", {})).toMatchObject(fails(403, "M_FORBIDDEN"));
  });
});

describe("hierarchy", () => {
  test("has the space and the rooms below it that the server may be told of", async () => {
    const { node, serverName, alice, ask } = await asked();
    const create = (preset: "public_chat" | "private_chat") =>
      node.room.createRoom(request(), alice, { preset });
    const [open, closed] = [await create("public_chat"), await create("private_chat")];
    const space = await node.room.createRoom(request(), alice, {
      preset: "public_chat",
      creation_content: { type: "m.space" },
      initial_state: [open, closed].map(({ room_id }, i) => ({
        type: "m.space.child",
        state_key: room_id,
        content: { via: [serverName], suggested: i === 0, order: `${i}` },
      })),
    });
    const { body } = await ask(`hierarchy/${named(space.room_id)}`);
    expect(body).toMatchObject({
      room: { room_id: space.room_id, children_state: [{ state_key: open.room_id }, {}] },
      children: [{ room_id: open.room_id }],
      inaccessible_children: [closed.room_id],
    });
    const suggested = await ask(`hierarchy/${named(space.room_id)}?suggested_only=true`);
    expect(suggested.body).toMatchObject({
      children: [{ room_id: open.room_id }],
      inaccessible_children: [],
    });
    expect(await ask(`hierarchy/${named(closed.room_id)}`)).toMatchObject(fails(404, "M_NOT_FOUND"));
  });
});

test("openid/userinfo tells whoever has the token whose it is", async () => {
  const { node, alice } = await asked();
  const { access_token } = await node.users.createOpenIdToken(request(), alice, alice.userId);
  const ask = (query: string) => askOpenly(node, `/_matrix/federation/v1/openid/userinfo${query}`);
  expect((await ask(`?access_token=${access_token}`)).body).toEqual({ sub: alice.userId });
  expect(await ask("?access_token=guessed")).toMatchObject(fails(401, "M_UNKNOWN_TOKEN"));
  expect(await ask("")).toMatchObject(fails(401, "M_MISSING_TOKEN"));
});

describe("keys of users", () => {
  async function withKeys() {
    const given = await asked();
    const { node, alice } = given;
    const device = await cryptoDevice(alice.userId, alice.deviceId);
    const oneTimeKeys = await device.oneTimeKeys(2);
    await node.keys.upload(alice, { device_keys: device.deviceKeys, one_time_keys: oneTimeKeys });
    return { ...given, device, oneTimeKeys };
  }

  test("devices and their keys are told, of this server's users alone", async () => {
    const { node, alice, device, ask, serverName } = await withKeys();
    const listed = await ask(`user/devices/${named(alice.userId)}`);
    expect(listed.body).toMatchObject({
      user_id: alice.userId,
      stream_id: expect.any(Number),
      devices: [{ device_id: alice.deviceId, keys: { keys: device.deviceKeys.keys } }],
    });
    expect(await ask(`user/devices/${named("@a:elsewhere.example")}`)).toMatchObject(
      fails(400, "M_INVALID_PARAM"),
    );
    expect(await ask(`user/devices/${named(`@nobody:${serverName}`)}`)).toMatchObject(
      fails(404, "M_NOT_FOUND"),
    );
    const wanted = { device_keys: { [alice.userId]: [], "@a:elsewhere.example": [] } };
    const { body } = await ask("user/keys/query", wanted);
    expect(Object.keys(body).sort()).toEqual(["device_keys", "master_keys", "self_signing_keys"]);
    expect(body.device_keys).toMatchObject({
      [alice.userId]: { [alice.deviceId]: { keys: device.deviceKeys.keys } },
    });
    expect(Object.keys(body.device_keys as JsonObject)).toEqual([alice.userId]);
    expect(await node.keys.query(alice, { [alice.userId]: [] })).toMatchObject({ failures: {} });
  });

  test("each key is given out once, though the same words ask for it", async () => {
    const { alice, oneTimeKeys, ask } = await withKeys();
    const wanted = { one_time_keys: { [alice.userId]: { [alice.deviceId]: "signed_curve25519" } } };
    const given = [await ask("user/keys/claim", wanted), await ask("user/keys/claim", wanted)];
    const names = given.flatMap(({ body }) => {
      expect(Object.keys(body)).toEqual(["one_time_keys"]);
      const keys = body.one_time_keys as { [user: string]: { [device: string]: JsonObject } };
      return Object.keys(keys[alice.userId]![alice.deviceId]!);
    });
    expect(names.sort()).toEqual(Object.keys(oneTimeKeys).sort());
    expect((await ask("user/keys/claim", wanted)).body).toEqual({ one_time_keys: {} });
  });
});
