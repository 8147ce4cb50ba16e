import { describe, expect, test, vi } from "vitest";
import type { Requester } from "../../../src/worker-roomserver/node/requester.ts";
import { Lru } from "../../../src/worker-roomserver/storage/lru.ts";
import { json, testRooms } from "../support/room.ts";

/** What a cache holds, and what that weighs now. */
type Cache = {
  name: string;
  limit: number;
  met: number;
  values(): Iterable<unknown>;
  weigh(value: unknown): number;
};

/** Every cache that has been made. */
const caches = vi.hoisted(() => [] as Cache[]);
/** The caches are so many times smaller here than they are, so that they are full soon. */
const SMALLER = vi.hoisted(() => 1_000);

vi.mock("../../../src/worker-roomserver/storage/lru.ts", async (importOriginal) => {
  const original = await importOriginal<{ Lru: typeof Lru }>();
  class WatchedLru<K, V> extends original.Lru<K, V> {
    readonly #kept = new Map<K, V>();
    readonly #cache: Cache;

    constructor(limit: number, weigh: (value: V) => number = () => 1) {
      const smaller = Math.ceil(limit / SMALLER);
      super(smaller, weigh);
      this.#cache = {
        name: new Error().stack?.match(/new (?!WatchedLru)(\w+)/)?.[1] ?? "",
        limit: smaller,
        met: 0,
        values: () => this.#kept.values(),
        weigh: (value) => weigh(value as V),
      };
      caches.push(this.#cache);
    }

    override set(key: K, value: V): void {
      super.set(key, value);
      this.#kept.set(key, value);
      this.#cache.met += this.#cache.weigh(value);
    }

    override delete(key: K): void {
      super.delete(key);
      this.#kept.delete(key);
    }

    override clear(): void {
      super.clear();
      this.#kept.clear();
    }
  }
  return { Lru: WatchedLru };
});

describe("caches stay within their limits", () => {
  test("of what they hold now, not of what it was when it came", () => {
    const cache = new Lru<string, number[]>(10 * SMALLER, (list) => list.length);
    const growing: number[] = [];
    for (let i = 0; i < 100; i++) {
      growing.push(i);
      cache.set("growing", growing);
      cache.set(`other ${i % 7}`, [i]);
    }
    expect(cache.weight).toBeLessThanOrEqual(10);
    expect(weightNow(caches.at(-1)!)).toBe(cache.weight);
    cache.clear();
    expect(cache.weight).toBe(0);
  });

  test("of a homeserver with many more rooms, members and messages than they have room for", async () => {
    caches.length = 0;
    const { rooms, user, request } = await testRooms();
    const everybody = Array.from({ length: 30 }, (_, i) => user(`user${i}`));
    const ids: string[] = [];
    for (let i = 0; i < 40; i++) ids.push(await makeRoom(i));
    for (let round = 0; round < 5; round++) {
      for (const [i, roomId] of ids.entries()) {
        const sender = everybody[i % everybody.length]!;
        const content = {
          msgtype: "m.text",
          body: `Message ${round} of ${i}: as long as people write them.`,
        };
        await rooms.sendEvent(sender, { roomId, type: "m.room.message", txnId: `${round}`, content });
        const state = { roomId, type: "org.example.note", stateKey: `${round} of ${i}`, content: { round } };
        await rooms.setState(request(), sender, state);
        await look(sender, roomId);
      }
    }

    const overfull = caches
      .filter(isOverfull)
      .map((cache) => `${cache.name}: ${weightNow(cache)} of ${cache.limit}`);
    expect(overfull).toEqual([]);
    // None of the caches that a room's life fills was spared.
    const filled = new Set(caches.filter(({ met, limit }) => met > 2 * limit).map(({ name }) => name));
    expect([...filled].sort()).toEqual(
      expect.arrayContaining([
        "EventStore",
        "Memberships",
        "RoomHeads",
        "SnapshotStore",
        "StoredNames",
        "Transactions",
      ]),
    );

    async function makeRoom(i: number): Promise<string> {
      const creator = everybody[i % everybody.length]!;
      const { room_id } = await rooms.createRoom(request(), creator, {
        preset: "public_chat",
        name: `Room ${i}`,
      });
      for (let j = 1; j < 5; j++) {
        const member = everybody[(i + j) % everybody.length]!;
        await rooms.changeMembership(request(), member, {
          roomId: room_id,
          action: "join",
          target: member.userId,
        });
      }
      return room_id;
    }

    async function look(who: Requester, roomId: string): Promise<void> {
      const { chunk } = json(await rooms.messages(who, roomId, { dir: "b", limit: 20, filter: {} }));
      expect(chunk).not.toEqual([]);
      await rooms.joinedMembers(who, roomId);
      await rooms.sharingUsers(who.userId);
    }
  });
});

const weightNow = (cache: Cache): number =>
  [...cache.values()].reduce<number>((sum, one) => sum + cache.weigh(one), 0);

/** One entry is kept however heavy it is: what is too big for the cache is asked for all the same. */
function isOverfull(cache: Cache): boolean {
  return weightNow(cache) > cache.limit && [...cache.values()].length > 1;
}
