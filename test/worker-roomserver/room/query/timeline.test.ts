import { expect, test } from "vitest";
import { messages } from "../../../../src/worker-roomserver/room/query/messages.ts";
import { hasEvents } from "../../../../src/worker-roomserver/room/query/timeline.ts";
import { page, testParts } from "../../support/room-parts.ts";

test("a stretch without a place in it has no events, whether memory reaches back to it or not", async () => {
  const first = await testParts();
  const roomId = await first.create("alice");
  for (const name of [undefined, first.storage.name]) {
    const t = name === undefined ? first : await testParts(name);
    const read = async (query: { dir: "b" | "f"; from?: string; to?: string }) =>
      page(await messages(t, t.user("alice"), roomId, { ...query, limit: 5, filter: {} })).chunk;
    const end = `h${t.storage.position}`;
    expect(await read({ dir: "f", from: end })).toEqual([]);
    expect(await read({ dir: "f", from: "h3", to: "h2" })).toEqual([]);
    expect(await read({ dir: "b", from: "h2", to: "h3" })).toEqual([]);
    expect(await read({ dir: "b", from: "h2", to: "h2" })).toEqual([]);
    const room = (await t.storage.names.find(roomId))!;
    expect(await hasEvents(t, room, { after: 3, upTo: 2 })).toBe(false);
  }
});
