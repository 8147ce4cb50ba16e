import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { presented } from "../../../src/worker-roomserver/room/query/aggregations.ts";
import { RelatedTargets } from "../../../src/worker-roomserver/room/related-targets.ts";
import { relating, testParts } from "../support/room-parts.ts";
import { failCommit } from "../support/rounds.ts";
import { testStorage } from "../support/storage.ts";

/** Relations of the first room to `$0`, `$1` and so on, on the disk. */
async function stored(count: number) {
  const storage = await testStorage();
  await storage.commit((write) => {
    for (let i = 0; i < count; i++) write.put("relations", [i + 1, "m.x", "t", "@a:h"], [7, `$${i}`, -i]);
  });
  return { storage, targets: new RelatedTargets(storage) };
}

const event = (eventId: string, room = 7) => ({ room, eventId });

describe("events that something relates to", () => {
  test("are those on the disk, and those that have come since", async () => {
    const { targets } = await stored(2);
    const all = [event("$0"), event("$1"), event("$2"), event("$0", 8)];
    expect(await targets.among(all)).toEqual([event("$0"), event("$1")]);
    targets.add(7, "$2");
    targets.add(8, "$0");
    expect(await targets.among(all)).toEqual(all);
  });

  test("are known to be so, though they become it while the room is being looked through", async () => {
    const { targets } = await stored(1);
    const asking = targets.among([event("$0"), event("$5")]);
    targets.add(7, "$5");
    expect(await asking).toEqual([event("$0"), event("$5")]);
    expect(await targets.among([event("$5")])).toEqual([event("$5")]);
  });

  test("may be any, where a room has too many to keep", async () => {
    const { storage, targets } = await stored(5_000);
    expect(await targets.among([event("$nothing")])).toEqual([event("$nothing")]);
    const grown = new RelatedTargets(storage);
    await grown.among([event("$x", 9)]);
    for (let i = 0; i <= 5_000; i++) grown.add(9, `$${i}`);
    expect(await grown.among([event("$nothing", 9)])).toEqual([event("$nothing", 9)]);
  });

  test("are read once for a room", async () => {
    const { storage, targets } = await stored(1);
    let reads = 0;
    const getAllKeys = storage.getAllKeys.bind(storage);
    storage.getAllKeys = (...args) => {
      reads += 1;
      return getAllKeys(...args);
    };
    await Promise.all([targets.among([event("$0")]), targets.among([event("$1")])]);
    await targets.among([event("$0")]);
    expect(reads).toBe(1);
  });
});

test("property: whatever relates to an event, and whenever, is in what is shown of it", async () => {
  const step = fc.constantFrom("send", "relate", "redact", "look", "fail");
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(step, fc.nat(4)), { maxLength: 25 }), async (steps) => {
      const t = await testParts();
      const roomId = await t.create("alice");
      const sent = [await t.send(roomId, "alice", { body: "x" })];
      const references = new Map<string, string[]>();
      const chunkOf = async () => {
        const events = (await t.events.byIds(sent)).map((one) => one!);
        const shown = await presented(t, t.user("alice"), events, { form: "full", ignored: new Set() });
        return new Map(
          shown.map(({ event_id, unsigned }) => {
            const relations = unsigned?.["m.relations"] as
              | { "m.reference"?: { chunk: { event_id: string }[] } }
              | undefined;
            return [event_id, relations?.["m.reference"]?.chunk.map((one) => one.event_id) ?? []] as const;
          }),
        );
      };
      for (const [what, which] of steps) {
        const target = sent[which % sent.length]!;
        const there = references.get(target) ?? [];
        if (what === "send") sent.push(await t.send(roomId, "alice", { body: "x" }));
        else if (what === "relate") {
          references.set(target, [...there, await t.send(roomId, "alice", relating("m.reference", target))]);
        } else if (what === "redact" && there.length > 0) {
          await t.redact(roomId, "alice", there[0]!);
          references.set(target, there.slice(1));
        } else if (what === "fail") await failCommit(t.storage);
        else await chunkOf();
      }
      const shown = await chunkOf();
      for (const eventId of sent) expect(shown.get(eventId)).toEqual(references.get(eventId) ?? []);
    }),
    { numRuns: 15 },
  );
});
