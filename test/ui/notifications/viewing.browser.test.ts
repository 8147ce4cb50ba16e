import { expect, test, vi } from "vitest";
import { isViewed, startViewing } from "../../../src/ui/notifications/viewing.ts";

test("a room is looked at as long as some tab says so", async () => {
  const [me, room] = ["@me:h", `!${crypto.randomUUID()}:h`];
  expect(await isViewed(me, room)).toBe(false);
  const [first, second] = [startViewing(me, room), startViewing(me, room)];
  await vi.waitFor(async () => expect(await isViewed(me, room)).toBe(true));
  expect(await isViewed("@you:h", room)).toBe(false);
  first();
  expect(await isViewed(me, room)).toBe(true);
  second();
  await vi.waitFor(async () => expect(await isViewed(me, room)).toBe(false));
});

test("what is over before it began leaves nothing behind", async () => {
  const [me, room] = ["@me:h", `!${crypto.randomUUID()}:h`];
  startViewing(me, room)();
  const held = async () => (await navigator.locks.query()).held?.some(({ name }) => name?.includes(room));
  await vi.waitFor(async () => expect(await held()).toBe(false));
});
