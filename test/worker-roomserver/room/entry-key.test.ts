import fc from "fast-check";
import { expect, test } from "vitest";
import { entryKey } from "../../../src/worker-roomserver/room/entry-key.ts";
import { testRooms } from "../support/room.ts";

test("property: two entries of a state have two keys, whatever their characters", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "\0", " ", "1", "2"), maxLength: 4 });
  fc.assert(
    fc.property(text, text, text, text, (type, key, otherType, otherKey) => {
      fc.pre(type !== otherType || key !== otherKey);
      expect(entryKey(type, key)).not.toBe(entryKey(otherType, otherKey));
    }),
  );
});

test("types and state keys with NUL in them are kept apart", async () => {
  const t = await testRooms();
  const alice = t.user("alice");
  const { room_id: roomId } = await t.rooms.createRoom(t.request(), alice, {});
  const set = (type: string, stateKey: string, content: string) =>
    t.rooms.setState(t.request(), alice, { roomId, type, stateKey, content: { content } });
  const get = (type: string, stateKey: string) =>
    t.rooms.stateEvent(alice, { roomId, type, stateKey, format: "content" });
  await set("a\0b", "c", "one");
  await set("a", "b\0c", "two");
  // The same as what stands there already, if the two were one.
  await set("a", "b\0c", "one");
  await set("a\0b", "c", "one");
  expect(await get("a\0b", "c")).toEqual({ content: "one" });
  expect(await get("a", "b\0c")).toEqual({ content: "one" });
  const head = await t.parts.heads.get(roomId);
  expect((await head.state("a", "b\0c"))?.pdu.type).toBe("a");
  expect((await head.state("a\0b", "c"))?.pdu.type).toBe("a\0b");
});
