import fc from "fast-check";
import { describe, expect, inject, test } from "vitest";
import { MatrixError } from "../../../../src/matrix/errors.ts";
import { contentHash } from "../../../../src/matrix/hashes.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../../../src/matrix/json.ts";
import { type ReceivedEvent, readReceivedEvent } from "../../../../src/matrix/received-event.ts";
import { ToldRoom } from "./told-room.ts";

/** What others may send, which must be read as an event or refused. */
function read(room: ToldRoom, text: string): ReceivedEvent | MatrixError {
  try {
    return readReceivedEvent(text, room.story.rules);
  } catch (error) {
    if (error instanceof MatrixError) return error;
    throw error;
  }
}

/** The event with its hash, if it can have one. */
function hashed(room: ToldRoom, event: JsonObject): string {
  try {
    const sha256 = contentHash(event, room.story.rules);
    return JSON.stringify({ ...event, hashes: { sha256 } });
  } catch (error) {
    if (error instanceof MatrixError) return JSON.stringify(event);
    throw error;
  }
}

const key = fc.oneof(
  fc.constantFrom("__proto__", "constructor", "toString", "", "\0", "membership", "users", "redacts"),
  fc.string({ unit: "binary", maxLength: 5 }),
);
const { value: anything } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<JsonValue>(null, true, 0, -1, 1.5, 1e300, 2 ** 60, "", "@alice:a.example", "$x", "\0"),
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }) as fc.Arbitrary<JsonObject>,
  ),
}));

const fields = [
  "type",
  "state_key",
  "content",
  "sender",
  "depth",
  "prev_events",
  "auth_events",
  "origin_server_ts",
  "redacts",
  "signatures",
  "unsigned",
  "hashes",
  "event_id",
  "room_id",
  "__proto__",
];
const types = [
  "m.room.member",
  "m.room.power_levels",
  "m.room.redaction",
  "m.room.join_rules",
  "m.room.create",
];

describe.each(["1", "6", "11", "12"])("odd events in a room of version %s", (version) => {
  test("property: whatever is sent is read, or refused with an error for who sent it; and can be read again", async () => {
    const room = await ToldRoom.open(version);
    room.story.state("topic", "@alice:a.example", "m.room.topic", { topic: "t" });
    const template = room.received("topic").pdu;
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom(...fields), anything, { maxKeys: 3, noNullPrototype: true }),
        fc.option(fc.constantFrom(...types)),
        fc.option(anything),
        fc.nat(),
        async (changes, type, content, number) => {
          const event: JsonObject = {
            ...template,
            origin_server_ts: number,
            ...(version === "1" && { event_id: `$odd${number}:a.example` }),
            ...(type !== null && { type }),
            ...(content !== null && { content }),
          };
          for (const [name, value] of Object.entries(changes)) {
            Object.defineProperty(event, name, {
              value,
              enumerable: true,
              configurable: true,
              writable: true,
            });
          }
          const result = read(room, hashed(room, event));
          if (result instanceof MatrixError) {
            expect([400, 413]).toContain(result.status);
            return;
          }
          const known = await room.server.rooms.eventById(result.eventId);
          const [verdict] = await room.server.rooms.input.receive(room.roomId, [result]);
          if (verdict!.outcome === "accepted") accepted += 1;
          if (known !== undefined || verdict!.outcome === "missing") return;
          const stored = await room.server.rooms.eventById(result.eventId);
          if (stored === undefined) return;
          expect(stored.pdu).toEqual(result.pdu);
          expect(isJsonObject(JSON.parse(result.json))).toBe(true);
          const again = readReceivedEvent(JSON.stringify(stored.pdu), room.story.rules);
          expect(again.eventId).toBe(result.eventId);
        },
      ),
      { numRuns: 2 * inject("propertyRuns") },
    );
    expect(accepted).toBeGreaterThan(0);
    // All of it, read by who comes next.
    const next = await room.reopened();
    expect((await next.events()).map(({ eventId }) => eventId)).toEqual(
      (await room.events()).map(({ eventId }) => eventId),
    );
  });

  test("ten thousand previous events, or auth events, are refused before anything is looked up", async () => {
    const room = await ToldRoom.open(version);
    room.story.message("one", "@alice:a.example");
    const { pdu } = room.received("one");
    for (const name of ["prev_events", "auth_events"] as const) {
      const many = Array.from({ length: 10_000 }, (_, i) => {
        const id = version === "1" ? `$e${i}:a.example` : `$${String(i).padStart(43, "A")}`;
        return version === "1" ? [id, { sha256: "" }] : id;
      });
      expect(read(room, hashed(room, { ...pdu, [name]: many }))).toMatchObject({ errcode: "M_BAD_JSON" });
    }
  });

  test("nesting without end is refused", async () => {
    const room = await ToldRoom.open(version);
    room.story.message("one", "@alice:a.example");
    const { json } = room.received("one");
    const nested = `${"[".repeat(30_000)}${"]".repeat(30_000)}`;
    const text = json.replace('"content":{', `"content":{"nested":${nested},`);
    expect(text).not.toBe(json);
    expect(read(room, text)).toMatchObject({ errcode: "M_BAD_JSON", status: 400 });
    expect(read(room, "[".repeat(1_000_000))).toBeInstanceOf(MatrixError);
    expect(read(room, "null")).toBeInstanceOf(MatrixError);
  });
});
