import { describe, expect, test } from "vitest";
import { remoteEvents } from "../../../../src/worker-roomserver/federation/queries/remote-events.ts";
import { registerAt } from "../../support/node.ts";
import { federatedNode } from "../support/federated-node.ts";
import { joinAs, sendAs } from "../support/guest.ts";
import { TestNetwork } from "../support/network.ts";
import { matrixError, scriptedServer, told } from "../support/scripted-server.ts";

/** A room of alice's with another server in it, an event that only comes in when it is asked for, and who may ask. */
async function shared() {
  const network = new TestNetwork();
  const { node, serverName } = await federatedNode(network);
  const alice = await registerAt(node, "alice");
  const { room_id: roomId } = await node.room.createRoom(crypto.randomUUID(), alice, {
    preset: "public_chat",
  });
  const other = await scriptedServer(network);
  await joinAs(other, node, roomId);
  return { network, node, serverName, alice, roomId, other };
}

const ts = 4_000_000_000_000;

describe("the event of a time, where this server knows none", () => {
  test("is asked for at the servers of the room, and answered once it is here", async () => {
    const { node, serverName, roomId, other } = await shared();
    const sender = `@guest:${other.serverName}`;
    const message = { type: "m.room.message", sender, content: { body: "x" }, origin_server_ts: ts + 5 };
    let known = "";
    const takenIn: string[] = [];
    const ask = remoteEvents(
      {
        ...{ serverName, now: Date.now, roomQueries: node.roomQueries },
        client: {
          request: async ({ destination, uri }) => {
            expect(destination).toBe(other.serverName);
            expect(uri).toBe(
              `/_matrix/federation/v1/timestamp_to_event/${encodeURIComponent(roomId)}?ts=${ts}&dir=f`,
            );
            known ||= await sendAs(other, node, roomId, message);
            return { status: 200, text: "", json: { event_id: known, origin_server_ts: ts + 1 } };
          },
          stream: () => Promise.reject(new Error("not asked for")),
        },
      },
      async (_, eventId, server) => {
        expect(server).toBe(other.serverName);
        takenIn.push(eventId);
        return true;
      },
    );
    expect(await ask(roomId, { ts, dir: "f" })).toBe(known);
    expect(takenIn).toEqual([known]);
  });

  test.each<[string, object]>([
    ["on the other side", { event_id: `$${"a".repeat(43)}`, origin_server_ts: ts - 1 }],
    ["without a time", { event_id: `$${"a".repeat(43)}` }],
    ["without an id", { origin_server_ts: ts + 1 }],
    ["that is none", { event_id: "x", origin_server_ts: ts + 1 }],
    ["that cannot be had", { event_id: `$${"a".repeat(43)}`, origin_server_ts: ts + 1 }],
  ])("an answer %s is none, and the client is told so", async (_, answer) => {
    const { node, alice, roomId, other } = await shared();
    other.answer(({ target }) =>
      target.includes("timestamp_to_event") ? told(answer as never) : matrixError(404, "M_UNRECOGNIZED"),
    );
    const asking = node.room.eventByTime(alice, roomId, { ts, dir: "f" });
    await expect(asking).rejects.toMatchObject({ status: 404, errcode: "M_NOT_FOUND" });
    expect(other.asked.filter((uri) => uri.includes("timestamp_to_event"))).toHaveLength(1);
  });

  test("nobody is asked where this server knows what is around it", async () => {
    const { node, alice, roomId, other } = await shared();
    const found = await node.room.eventByTime(alice, roomId, { ts, dir: "b" });
    expect(found.event_id).toMatch(/^\$/);
    expect(other.asked).toEqual([]);
  });
});
