import { describe, expect, test } from "vitest";
import { encodeBase64 } from "../../../../src/matrix/base64.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import { signJson } from "../../../../src/matrix/signing.ts";
import { registerAt } from "../../support/node.ts";
import { namedServer } from "../support/named-server.ts";
import { hosting } from "./guest-server.ts";

/** A room to which somebody was invited by their address, who has turned out to be bob. */
async function exchanging() {
  const given = await hosting();
  const { node, alice, guests } = given;
  const bob = await registerAt(node.node, "bob");
  const roomId = await given.create({ preset: "private_chat" });
  const identity = await namedServer();
  await node.node.room.setState(crypto.randomUUID(), alice, {
    ...{ roomId, type: "m.room.third_party_invite", stateKey: "abc" },
    content: {
      display_name: "b...@example.org",
      key_validity_url: "https://id.example/valid",
      public_key: encodeBase64(identity.key.publicKey),
    },
  });
  const sign = (mxid: string, { key } = identity) =>
    signJson({ mxid, token: "abc" }, "id.example", key.keyId, key.sign);
  const body = {
    ...{ type: "m.room.member", room_id: roomId, sender: alice.userId, state_key: bob.userId },
    content: { membership: "invite", third_party_invite: { signed: await sign(bob.userId) } },
  };
  const exchange = (over: JsonObject = {}) =>
    guests.ask("PUT", `/_matrix/federation/v1/exchange_third_party_invite/${encodeURIComponent(roomId)}`, {
      ...body,
      ...over,
    });
  const invited = async () =>
    (await node.node.roomQueries.latest(roomId, [["m.room.member", bob.userId]])).state[0]?.pdu;
  return { ...given, bob, roomId, body, sign, exchange, invited };
}

describe("an invite by address is exchanged for one by user id", () => {
  test("which the room has then", async () => {
    const { alice, body, exchange, invited } = await exchanging();
    expect(await exchange()).toMatchObject({ status: 200, json: {} });
    expect(await invited()).toMatchObject({
      sender: alice.userId,
      content: {
        membership: "invite",
        third_party_invite: { ...body.content.third_party_invite, display_name: "b...@example.org" },
      },
    });
  });

  test.each<[string, number, (given: Awaited<ReturnType<typeof exchanging>>) => Promise<JsonObject>]>([
    [
      "signed by another key",
      403,
      async ({ body, sign, bob }) => ({
        content: {
          ...body.content,
          third_party_invite: { signed: await sign(bob.userId, await namedServer()) },
        },
      }),
    ],
    [
      "signed for another",
      403,
      async ({ body, sign, alice }) => ({
        content: { ...body.content, third_party_invite: { signed: await sign(alice.userId) } },
      }),
    ],
    ["in another's name", 403, async ({ bob }) => ({ sender: bob.userId })],
    ["in the name of a user elsewhere", 403, async ({ guests }) => ({ sender: guests.user("carol") })],
    ["of another room", 400, async () => ({ room_id: "!other:example.org" })],
    ["that is none", 400, async () => ({ content: { membership: "invite" } })],
    ["that is a join", 400, async ({ body }) => ({ content: { ...body.content, membership: "join" } })],
  ])("but not one %s", async (_, status, over) => {
    const given = await exchanging();
    const answer = await given.exchange(await over(given));
    expect(answer).toMatchObject({ status, json: { errcode: expect.stringMatching(/^M_/) } });
    expect(await given.invited()).toBeUndefined();
  });
});
