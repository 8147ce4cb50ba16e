import { expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { placeInThreads, relationOf } from "../../src/matrix/threads.ts";

const relates = (rel_type: string, event_id: string): JsonObject => ({
  "m.relates_to": { rel_type, event_id },
});

// A is the root of a thread with B; C reacts to B, D refers to A, E reacts to D.
const room = new Map<string, JsonObject>([
  ["$A", {}],
  ["$B", relates("m.thread", "$A")],
  ["$C", relates("m.annotation", "$B")],
  ["$D", relates("m.reference", "$A")],
  ["$E", relates("m.annotation", "$D")],
  ["$reply", { "m.relates_to": { "m.in_reply_to": { event_id: "$B" } } }],
  ["$lost", relates("m.annotation", "$nowhere")],
  ["$1", relates("m.annotation", "$B")],
  ["$2", relates("m.annotation", "$1")],
  ["$3", relates("m.annotation", "$2")],
  ["$loop", relates("m.annotation", "$loop")],
]);

test.each([
  ["$A", "main", []],
  ["$B", "$A", ["$A"]],
  ["$C", "$A", ["$B", "$A"]],
  ["$D", "main", ["$A"]],
  ["$E", "main", ["$D", "$A"]],
  ["$reply", "main", []],
  ["$lost", "main", ["$nowhere"]],
  ["$2", "$A", ["$1", "$B", "$A"]],
  ["$3", "$A", ["$2", "$1", "$B", "$A"]],
  ["$loop", "main", ["$loop", "$loop", "$loop", "$loop"]],
])("%s is in %s", async (eventId, thread, parents) => {
  const place = await placeInThreads(room.get(eventId)!, async (id) => room.get(id));
  expect(place).toEqual({ thread, parents });
});

test("a fourth hop is not made", async () => {
  const { thread } = await placeInThreads(relates("m.annotation", "$3"), async (id) => room.get(id));
  expect(thread).toBe("main");
});

test.each([
  [{}],
  [{ "m.relates_to": null }],
  [{ "m.relates_to": [] }],
  [{ "m.relates_to": { rel_type: "m.thread" } }],
  [{ "m.relates_to": { rel_type: 1, event_id: "$a" } }],
])("%j is no relation", (content) => expect(relationOf(content)).toBeUndefined());
