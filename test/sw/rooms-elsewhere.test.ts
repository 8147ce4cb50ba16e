import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { allEndpoints } from "../../src/sw/index.ts";
import { federatedNode } from "../worker-roomserver/federation/support/federated-node.ts";
import { TestNetwork } from "../worker-roomserver/federation/support/network.ts";
import {
  matrixError,
  raw,
  scriptedServer,
  told,
} from "../worker-roomserver/federation/support/scripted-server.ts";
import { asking } from "./support/ask.ts";
import { registered } from "./support/clients.ts";

const v1 = "/_matrix/client/v1";
const v3 = "/_matrix/client/v3";
const q = encodeURIComponent;
const refusal = (status: number, errcode: string) => ({ status, body: { errcode } });

/** Alice's client at one homeserver, bob's at another, and a third that says what a test wants. */
async function threeServers() {
  const network = new TestNetwork();
  const home = async (name: string) => {
    const { node, serverName } = await federatedNode(network);
    const ask = asking({ node, endpoints: allEndpoints });
    return { node, serverName, ask, client: await registered(ask, name) };
  };
  const here = await home("alice");
  const there = await home("bob");
  const other = await scriptedServer(network);
  return { network, here, there, other, alice: here.client, bob: there.client };
}

describe("what clients learn of other servers", () => {
  test("profiles, and single fields of them", async () => {
    const { there, alice, bob } = await threeServers();
    await bob.ask("PUT", `${v3}/profile/${q(bob.userId)}/displayname`, { displayname: "Bob" });
    const path = `${v3}/profile/${q(bob.userId)}`;
    expect(await alice.get(path)).toMatchObject({ status: 200, body: { displayname: "Bob" } });
    expect((await alice.get(`${path}/displayname`)).body).toEqual({ displayname: "Bob" });
    expect(await alice.get(`${path}/avatar_url`)).toMatchObject(refusal(404, "M_NOT_FOUND"));
    const nobody = `${v3}/profile/${q(`@nobody:${there.serverName}`)}`;
    expect(await alice.get(nobody)).toMatchObject(refusal(404, "M_NOT_FOUND"));
    expect(await alice.get(`${v3}/profile/${q("@x:nowhere.example")}`)).toMatchObject(
      refusal(502, "M_UNKNOWN"),
    );
  });

  test("aliases, directories and summaries", async () => {
    const { network, there, alice, bob } = await threeServers();
    const roomId = await bob.createRoom({
      ...{ preset: "public_chat", room_alias_name: "town", name: "Town", visibility: "public" },
    });
    const alias = `#town:${there.serverName}`;
    const resolved = await alice.get(`${v3}/directory/room/${q(alias)}`);
    expect(resolved.body).toEqual({ room_id: roomId, servers: [there.serverName] });
    const directory = `${v3}/publicRooms?server=${there.serverName}`;
    expect((await alice.get(directory)).body).toMatchObject({ chunk: [{ room_id: roomId, name: "Town" }] });
    const search = { filter: { generic_search_term: "nothing" } };
    expect((await alice.ask("POST", directory, search)).body).toMatchObject({ chunk: [] });
    const summary = { room_id: roomId, name: "Town", membership: "leave", room_version: "12" };
    for (const path of [`${q(alias)}`, `${q(roomId)}?via=nowhere.example&via=${there.serverName}`]) {
      expect(await alice.get(`${v1}/room_summary/${path}`)).toMatchObject({ status: 200, body: summary });
    }
    const old = `/_matrix/client/unstable/im.nheko.summary/summary/${q(roomId)}?via=${there.serverName}`;
    expect((await alice.get(old)).body).toMatchObject({ "im.nheko.summary.room_version": "12" });

    network.setDown(there.serverName, true);
    expect(await alice.get(`${v3}/directory/room/${q(alias)}`)).toMatchObject(refusal(502, "M_UNKNOWN"));
    expect(await alice.get(directory)).toMatchObject(refusal(502, "M_UNKNOWN"));
    expect(await alice.get(`${v1}/room_summary/${q("!gone:nowhere.example")}`)).toMatchObject(
      refusal(404, "M_NOT_FOUND"),
    );
  });

  test("a space goes on elsewhere, from page to page", async () => {
    const { there, alice, bob } = await threeServers();
    const space = (children: string[]) => ({
      ...{ preset: "public_chat", creation_content: { type: "m.space" } },
      initial_state: children.map((state_key) => ({
        ...{ type: "m.space.child", state_key, content: { via: [there.serverName] } },
      })),
    });
    const leaves = [await bob.createRoom(), await bob.createRoom()];
    const inner = await bob.createRoom(space(leaves) as JsonObject);
    const root = await alice.createRoom(space([inner]) as JsonObject);
    const path = `${v1}/rooms/${q(root)}/hierarchy?limit=2`;
    const first = (await alice.get(path)).body as { rooms: JsonObject[]; next_batch: string };
    const second = (await alice.get(`${path}&from=${q(first.next_batch)}`)).body as typeof first;
    const found = [...first.rooms, ...second.rooms].map(({ room_id }) => room_id);
    expect(found).toHaveLength(4);
    expect(new Set(found)).toEqual(new Set([root, inner, ...leaves]));
    expect(second.next_batch).toBeUndefined();
    expect(first.rooms[1]).toMatchObject({ room_id: inner, children_state: [{}, {}] });
  });

  test("media, and what is said where there is none", async () => {
    const { other, alice } = await threeServers();
    const path = `${v1}/media/download/${other.serverName}/abc`;
    other.answer(() => matrixError(404, "M_NOT_FOUND"));
    expect(await alice.get(path)).toMatchObject(refusal(404, "M_NOT_FOUND"));
    expect(await alice.get(`${v1}/media/download/nowhere.example/abc`)).toMatchObject(
      refusal(502, "M_UNKNOWN"),
    );
    const parts =
      "--b\r\nContent-Type: application/json\r\n\r\n{}\r\n--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b--";
    other.answer(() => raw(parts, [["content-type", 'multipart/mixed; boundary="b"']]));
    expect((await alice.get(path)).status).toBe(200);
  });
});

test("an identity server's word goes on to the server of who has invited", async () => {
  const { network, here, other, alice } = await threeServers();
  const invite = {
    ...{ room_id: "!room:x.example", sender: `@inviter:${other.serverName}` },
    ...{ medium: "email", address: "a@example.org", mxid: alice.userId },
    signed: { mxid: alice.userId, token: "t", signatures: {} },
  };
  other.answer(() => told({}));
  const put = (body: JsonObject) =>
    network
      .egress(() => other.serverName)
      .fetch(
        { kind: "federation", url: `matrix://${here.serverName}/_matrix/federation/v1/3pid/onbind` },
        { method: "PUT", headers: {}, body: JSON.stringify(body), timeout: 1e4, maxBytes: 1e6 },
      );
  expect(await put({ mxid: alice.userId, invites: [invite] })).toMatchObject({ status: 200 });
  expect(other.asked).toEqual(["/_matrix/federation/v1/exchange_third_party_invite/!room%3Ax.example"]);
  const sent = network.carried.find(({ to }) => to === other.serverName);
  expect(JSON.parse(sent?.body ?? "")).toEqual({
    ...{ type: "m.room.member", room_id: "!room:x.example", sender: invite.sender, state_key: alice.userId },
    content: { membership: "invite", third_party_invite: { signed: invite.signed } },
  });
  other.answer(() => matrixError(403, "M_FORBIDDEN"));
  expect(await put({ mxid: alice.userId, invites: [invite] })).toMatchObject({ status: 200 });
  expect(await put({ mxid: `@nobody:${here.serverName}` })).toMatchObject({ status: 404 });
  expect(await put({ mxid: alice.userId, invites: Array(21).fill(invite) })).toMatchObject({ status: 400 });
});
