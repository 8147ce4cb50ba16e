import { expect, test, vi } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { allEndpoints } from "../../src/sw/index.ts";
import { wholeRoom } from "../worker-roomserver/federation/sender/support/remote-events.ts";
import { federatedNode } from "../worker-roomserver/federation/support/federated-node.ts";
import { namedServer } from "../worker-roomserver/federation/support/named-server.ts";
import { TestNetwork } from "../worker-roomserver/federation/support/network.ts";
import { registerAt } from "../worker-roomserver/support/node.ts";
import { asking } from "./support/ask.ts";

const path = "/_hearth/v1/federation/destinations";

async function home() {
  const { node } = await federatedNode(new TestNetwork());
  const ask = asking({ node, endpoints: allEndpoints });
  const login = async (username: string) => {
    const requester = await registerAt(node, username);
    const identifier = { type: "m.id.user", user: requester.userId };
    const body = { type: "m.login.password", identifier, password: "correct horse battery" };
    const answer = await ask("POST", "/_matrix/client/v3/login", { body });
    return { requester, token: answer.body.access_token as string };
  };
  return { node, ask, owner: await login("owner"), alice: await login("alice") };
}

test("the owner sees what waits for whom, sets relays and tries again", async () => {
  const { node, ask, owner } = await home();
  const { serverName } = await namedServer();
  const { room_id: roomId } = await node.room.createRoom(crypto.randomUUID(), owner.requester, {
    preset: "public_chat",
  });
  const { event } = await wholeRoom(node, roomId, `@bob:${serverName}`);
  await node.roomInput.receive(roomId, [event]);
  const content = { body: "hello", msgtype: "m.text" };
  await node.room.sendEvent(owner.requester, { roomId, type: "m.room.message", txnId: "1", content });
  const call = (method: string, target: string, body?: JsonObject) =>
    ask(method, target, { token: owner.token, ...(body && { body }) });
  await vi.waitFor(async () => {
    expect(await call("GET", path)).toMatchObject({
      status: 200,
      body: {
        destinations: [{ server_name: serverName, waiting_pdus: 1, waiting_edus: 0, catching_up: false }],
      },
    });
  });
  const relays = ["https://relay.example"];
  expect((await call("PUT", `${path}/${serverName}/relays`, { relays })).status).toBe(200);
  // The relay is a server that is asked for its own document, too.
  const known = expect.objectContaining({ server_name: serverName, relays });
  expect((await call("GET", path)).body.destinations).toContainEqual(known);
  expect((await call("POST", `${path}/${serverName}/retry`, {})).status).toBe(200);
  expect(await call("POST", `${path}/nobody.example/retry`, {})).toMatchObject({
    status: 404,
    body: { errcode: "M_NOT_FOUND" },
  });
  expect(await call("PUT", `${path}/${serverName}/relays`, { relays: ["ftp://x"] })).toMatchObject({
    status: 400,
    body: { errcode: "M_INVALID_PARAM" },
  });
});

test("nobody else does", async () => {
  const { ask, alice } = await home();
  expect((await ask("GET", path)).status).toBe(401);
  expect((await ask("GET", path, { token: alice.token })).status).toBe(403);
});
