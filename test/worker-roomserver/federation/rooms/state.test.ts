import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../../../src/matrix/canonical-json.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import type { StoredEvent } from "../../../../src/worker-roomserver/room/api.ts";
import { registerAt } from "../../support/node.ts";
import { federatedNode } from "../support/federated-node.ts";
import { askAs, joinAs } from "../support/guest.ts";
import { namedServer } from "../support/named-server.ts";
import { TestNetwork } from "../support/network.ts";

type State = { pdus: JsonObject[]; auth_chain: JsonObject[] };

/** A room with more in its state than is read at once. */
async function largeRoom() {
  const { node } = await federatedNode(new TestNetwork());
  const alice = await registerAt(node, "alice");
  const initial_state = Array.from({ length: 250 }, (_, i) => ({
    ...{ type: "org.example.entry", state_key: `${i}`, content: { i } },
  }));
  const { room_id: roomId } = await node.room.createRoom(crypto.randomUUID(), alice, {
    ...{ preset: "public_chat", initial_state },
  });
  const guest = await namedServer();
  const joined = await joinAs(guest, node, roomId);
  const room = encodeURIComponent(roomId);
  const ask = (question: string) => askAs(guest, node, `/_matrix/federation/v1/${question}`);
  return { node, alice, roomId, room, joined, ask };
}

const ids = (events: readonly StoredEvent[]) => events.map(({ eventId }) => eventId).sort();
const sorted = (events: readonly JsonObject[]) =>
  events.map((event) => canonicalJson(event, "strict")).sort();

describe("the state that another server asks for", () => {
  test("is that before the event, whole, with all that authorises it", async () => {
    const { node, roomId, room, joined, ask } = await largeRoom();
    const before = await node.roomQueries.stateAt(roomId, joined, { when: "before" });
    expect(before.length).toBeGreaterThan(250);
    const chain = await node.roomQueries.authChain(roomId, ids(before));
    const { status, body } = await ask(`state/${room}?event_id=${encodeURIComponent(joined)}`);
    expect(status).toBe(200);
    const { pdus, auth_chain } = body as State;
    expect(sorted(pdus)).toEqual(sorted(before.map(({ pdu }) => pdu)));
    expect(sorted(auth_chain)).toEqual(sorted(chain.map(({ pdu }) => pdu)));
    expect(sorted(pdus).some((pdu) => pdu.includes('"membership":"join"'))).toBe(true);

    const { body: named } = await ask(`state_ids/${room}?event_id=${encodeURIComponent(joined)}`);
    expect([...(named.pdu_ids as string[])].sort()).toEqual(ids(before));
    expect([...(named.auth_chain_ids as string[])].sort()).toEqual(ids(chain));
  });

  test("event_auth has what authorises the event, without the event", async () => {
    const { node, roomId, room, joined, ask } = await largeRoom();
    const chain = await node.roomQueries.authChain(roomId, [joined]);
    const { body } = await ask(`event_auth/${room}/${encodeURIComponent(joined)}`);
    expect(sorted((body as State).auth_chain)).toEqual(sorted(chain.map(({ pdu }) => pdu)));
    expect(chain.length).toBeGreaterThan(2);
  });

  test("is not told of an event that is not in the room, nor without one", async () => {
    const { node, alice, room, ask } = await largeRoom();
    const { room_id: other } = await node.room.createRoom(crypto.randomUUID(), alice, {});
    const [{ eventId = "" } = {}] = (await node.roomQueries.latest(other, [])).extremities;
    for (const question of ["state", "state_ids"]) {
      expect(await ask(`${question}/${room}?event_id=${encodeURIComponent(eventId)}`)).toMatchObject({
        ...{ status: 404, body: { errcode: "M_NOT_FOUND" } },
      });
      expect(await ask(`${question}/${room}`)).toMatchObject({
        ...{ status: 400, body: { errcode: "M_MISSING_PARAM" } },
      });
    }
    expect((await ask(`event_auth/${room}/${encodeURIComponent(eventId)}`)).status).toBe(404);
  });

  test("breaks off where the room goes while it is sent", async () => {
    const { node, roomId, joined } = await largeRoom();
    const { pdus } = await node.roomQueries.stateBefore(roomId, joined);
    await node.roomConsole.purge(roomId, { leave: false });
    await expect(node.roomQueries.texts(pdus)).rejects.toMatchObject({ errcode: "M_NOT_FOUND" });
  });
});
