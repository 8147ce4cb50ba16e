import { describe, expect, test, vi } from "vitest";
import { readBody } from "../../../../src/link/bodies.ts";
import { encodeBase64 } from "../../../../src/matrix/base64.ts";
import { chooseEd25519 } from "../../../../src/matrix/ed25519.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import type { Pdu } from "../../../../src/matrix/pdu.ts";
import { roomVersionRules } from "../../../../src/matrix/room-versions.ts";
import { signEvent } from "../../../../src/matrix/signing.ts";
import { FederationError } from "../../../../src/worker-roomserver/federation/api.ts";
import type { RoomPolicies } from "../../../../src/worker-roomserver/federation/policy/api.ts";
import { roomPolicies } from "../../../../src/worker-roomserver/federation/policy/room-policies.ts";
import { registerAt } from "../../support/node.ts";
import { federatedNode } from "../support/federated-node.ts";
import { joinAs, sendAs, signedBy } from "../support/guest.ts";
import { namedServer } from "../support/named-server.ts";
import { TestNetwork } from "../support/network.ts";
import { matrixError, raw, type Script, scriptedServer, told } from "../support/scripted-server.ts";

const rules = roomVersionRules("12")!;

/** A room of alice's with a policy server, which signs whatever it is asked to until it is told otherwise. */
async function guardedRoom() {
  const network = new TestNetwork();
  const { node } = await federatedNode(network);
  const alice = await registerAt(node, "alice");
  const { room_id: roomId } = await node.room.createRoom(crypto.randomUUID(), alice, {
    preset: "public_chat",
  });
  const policy = await scriptedServer(network);
  const { publicKey, sign } = { ...policy.key };
  const policyKey = { keyId: "ed25519:policy_server", publicKey, sign };
  const signing: Script = async ({ body }) => {
    const pdu = JSON.parse(new TextDecoder().decode(await readBody(body, 1e6))) as Pdu;
    const { signatures } = await signEvent({ ...pdu, signatures: {} }, rules, policy.serverName, policyKey);
    return told(signatures as JsonObject);
  };
  policy.answer(signing);
  await joinAs(policy, node, roomId);
  const name = (content: JsonObject) =>
    node.room.setState(crypto.randomUUID(), alice, { roomId, type: "m.room.policy", stateKey: "", content });
  const content = { via: policy.serverName, public_keys: { ed25519: encodeBase64(publicKey) } };
  await name(content);
  const say = async (body: string) => {
    const event = { roomId, type: "m.room.message", txnId: body, content: { msgtype: "m.text", body } };
    return (await node.room.sendEvent(alice, event)).event_id;
  };
  const signaturesOf = async (eventId: string) => {
    const [event] = await node.roomQueries.eventsById([eventId]);
    return Object.entries(event!.pdu.signatures).flatMap(([server, keys]) =>
      Object.keys(keys).map((key) => (server === policy.serverName ? key : "own")),
    );
  };
  /** How often it was asked to sign something. */
  const asked = () => policy.asked.filter((path) => path === "/_matrix/policy/v1/sign").length;
  return { network, node, alice, roomId, policy, asked, signing, name, content, say, signaturesOf };
}

describe("what is sent to a room with a policy server", () => {
  test("is signed by it, and has its own signature still; but not what names it", async () => {
    const { alice, node, roomId, asked, say, signaturesOf } = await guardedRoom();
    expect(asked()).toBe(0);
    expect(await signaturesOf(await say("hello"))).toEqual(["own", "ed25519:policy_server"]);
    const topic = { roomId, type: "m.room.topic", stateKey: "", content: { topic: "x" } };
    const { event_id } = await node.room.setState(crypto.randomUUID(), alice, topic);
    expect(await signaturesOf(event_id)).toEqual(["own", "ed25519:policy_server"]);
    expect(asked()).toBe(2);
    const [text] = await node.roomQueries.texts(
      (await node.roomQueries.eventsById([event_id])).map((event) => event!.nid),
    );
    expect(text).toContain("ed25519:policy_server");
  });

  test.each<[string, Script, object]>([
    [
      "refuses it, in its own words",
      () => matrixError(400, "M_FORBIDDEN"),
      { status: 400, errcode: "M_FORBIDDEN", message: "as the test says" },
    ],
    ["has enough of it", () => matrixError(429, "M_LIMIT_EXCEEDED"), { status: 429 }],
    ["is none", () => matrixError(404, "M_UNRECOGNIZED"), { status: 502, errcode: "M_UNKNOWN" }],
    ["ends no session", () => matrixError(401, "M_UNKNOWN_TOKEN"), { status: 502, errcode: "M_UNKNOWN" }],
    ["says nothing", () => told({}), { status: 502, errcode: "M_UNKNOWN" }],
    ["is broken", () => raw("", [], 500), { status: 502, errcode: "M_UNKNOWN" }],
    [
      "signs something else",
      async () => {
        const other = await namedServer();
        return told({ [other.serverName]: { "ed25519:policy_server": "A".repeat(86) } });
      },
      { status: 502 },
    ],
  ])("is not sent where it %s; the room can be freed of it", async (_, script, failure) => {
    const { node, roomId, policy, name, say, signaturesOf } = await guardedRoom();
    const { extremities } = await node.roomQueries.latest(roomId, []);
    policy.answer(script);
    await expect(say("spam")).rejects.toMatchObject(failure);
    expect((await node.roomQueries.latest(roomId, [])).extremities).toEqual(extremities);
    await name({});
    expect(await signaturesOf(await say("free"))).toEqual(["own"]);
  });

  test("is not sent with a signature by another key than the room names, nor where nobody is there", async () => {
    const { network, policy, content, name, say } = await guardedRoom();
    const other = await namedServer();
    await name({ ...content, public_keys: { ed25519: encodeBase64(other.key.publicKey) } });
    await expect(say("wrong key")).rejects.toMatchObject({ status: 502, errcode: "M_UNKNOWN" });
    network.setDown(policy.serverName, true);
    await expect(say("down")).rejects.toMatchObject({ status: 502, errcode: "M_UNKNOWN" });
  });

  test("needs no signature of a server that nobody of the room is on", async () => {
    const { node, roomId, policy, asked, say, signaturesOf } = await guardedRoom();
    const sender = `@guest:${policy.serverName}`;
    await sendAs(policy, node, roomId, {
      ...{ type: "m.room.member", sender, state_key: sender, content: { membership: "leave" } },
    });
    expect(await signaturesOf(await say("alone"))).toEqual(["own"]);
    expect(asked()).toBe(0);
  });
});

describe("what others have sent to a room with a policy server", () => {
  /** The same component over the node's own graph. */
  async function judging() {
    const given = await guardedRoom();
    const { node, policy, network } = given;
    const request = vi.fn(async ({ content }: { content?: JsonObject }) => {
      const from = { fetch: network.egress(() => policy.serverName).fetch };
      const answer = await from.fetch(
        { kind: "federation", url: `matrix://${policy.serverName}/_matrix/policy/v1/sign` },
        { method: "POST", headers: {}, body: JSON.stringify(content), timeout: 1e4, maxBytes: 1e6 },
      );
      if ("failure" in answer) throw new FederationError("unreachable", policy.serverName, answer.why);
      const text = await new Response(answer.body).text();
      if (answer.status !== 200) {
        throw new FederationError("answered", policy.serverName, "no", {
          ...{ status: answer.status, error: JSON.parse(text) as JsonObject & { errcode: string } },
        });
      }
      return { status: 200, text, json: JSON.parse(text) as JsonObject };
    });
    const policies: RoomPolicies = roomPolicies({
      ed25519: await chooseEd25519(crypto.subtle),
      roomQueries: node.roomQueries,
      client: { request, stream: () => Promise.reject(new Error("not asked for")) } as never,
    });
    const guest = await namedServer();
    await joinAs(guest, node, given.roomId);
    const sender = `@guest:${guest.serverName}`;
    const message = () =>
      signedBy(guest, node, given.roomId, { type: "m.room.message", sender, content: { body: "x" } });
    return { ...given, policies, request, guest, message };
  }

  test("is allowed with its signature, without asking", async () => {
    const { policies, request, roomId, policy, message } = await judging();
    const received = await message();
    const key = { ...policy.key, keyId: "ed25519:policy_server" };
    const pdu = await signEvent(received.pdu, rules, policy.serverName, key);
    expect(await policies.isAllowed(roomId, { ...received, pdu })).toEqual({ isAllowed: true });
    expect(request).not.toHaveBeenCalled();
    expect(await policies.isAllowed(roomId, received)).toEqual({ isAllowed: true });
    expect(request).toHaveBeenCalledTimes(1);
  });

  test("is soft-failed without one", async () => {
    const { node, policies, roomId, policy, message } = await judging();
    policy.answer(() => matrixError(400, "M_FORBIDDEN"));
    const received = await message();
    const verdict = await policies.isAllowed(roomId, received);
    expect(verdict).toMatchObject({ isAllowed: false, why: expect.stringContaining("as the test says") });
    const unwelcome = { [received.eventId]: verdict.isAllowed ? "" : verdict.why };
    const [outcome] = await node.roomInput.receive(roomId, [received], { unwelcome });
    expect(outcome).toMatchObject({ outcome: "soft-failed", reason: expect.stringContaining("recommend") });
    const { extremities } = await node.roomQueries.latest(roomId, []);
    expect(extremities.map(({ eventId }) => eventId)).not.toContain(received.eventId);
  });

  test("is allowed where the room has no policy server any more", async () => {
    const { policies, request, roomId, name, policy, message } = await judging();
    policy.answer(() => matrixError(400, "M_FORBIDDEN"));
    await name({});
    expect(await policies.isAllowed(roomId, await message())).toEqual({ isAllowed: true });
    expect(request).not.toHaveBeenCalled();
    await expect(policies.isAllowed("!unknown:x.example", await message())).rejects.toMatchObject({
      errcode: "M_NOT_FOUND",
    });
  });
});
