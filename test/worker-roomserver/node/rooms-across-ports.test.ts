import { beforeAll, expect, test } from "vitest";
import { prepareComlink } from "../../../src/worker-roomserver/node/across-ports.ts";
import { Story } from "../../reference/story.ts";
import { received } from "../room/input/hosted-room.ts";
import { bindings } from "../support/bindings.ts";
import { registerAt, testNode } from "../support/node.ts";
import { json } from "../support/room.ts";

beforeAll(prepareComlink);

test.each(bindings)(
  "%s, a room from elsewhere is taken in, asked about, found, looked into and removed",
  async (_, bind) => {
    const opened = await testNode();
    const node = await bind(opened);
    const alice = await registerAt(opened, "alice");
    const story = new Story("12");
    story.message("hello", "@bob:b.example");
    story.state("ban rule", "@carol:c.example", "m.room.name", { name: "not allowed" });
    const [create, ...others] = story.names.map((name) => received(story.event(name)));
    const roomId = `!${create!.eventId.slice(1)}`;

    const begun = await node.roomInput.takeInRoom({
      version: "12",
      event: create!,
      state: [],
      authChain: [],
    });
    expect(begun.outcome).toBe("accepted");
    const verdicts = await node.roomInput.receive(roomId, others);
    const outcomes = verdicts.map(({ outcome }) => outcome);
    expect(outcomes).toEqual([...outcomes.slice(0, -1).map(() => "accepted"), "rejected"]);

    const front = await node.roomQueries.latest(roomId, [["m.room.join_rules", ""]]);
    expect(front.extremities.map(({ eventId }) => eventId)).toEqual([story.event("hello").eventId]);
    expect(front.state.map(({ pdu }) => pdu.content)).toEqual([{ join_rule: "public" }]);

    const graph = await node.roomConsole.eventGraph(roomId, { limit: 50 });
    expect(graph.events.find(({ status }) => status === "rejected")?.reason).toMatch(/level 50/);
    expect(graph.events).toHaveLength(story.names.length);
    const around = await node.roomConsole.stateAtEvent(roomId, story.event("bob").eventId, { limit: 50 });
    expect(around.entries.filter(({ isChanged }) => isChanged).map(({ stateKey }) => stateKey)).toEqual([
      "@bob:b.example",
    ]);

    const created = await node.room.createRoom(crypto.randomUUID(), alice, {
      visibility: "public",
      name: "Den",
    });
    expect(json(await node.roomDirectory.publicRooms({})).total_room_count_estimate).toBe(1);
    await expect(node.roomQueries.latest("!nowhere:h", [])).rejects.toMatchObject({ errcode: "M_NOT_FOUND" });

    await node.roomConsole.purge(created.room_id);
    expect(json(await node.roomDirectory.publicRooms({})).total_room_count_estimate).toBe(0);
  },
);
