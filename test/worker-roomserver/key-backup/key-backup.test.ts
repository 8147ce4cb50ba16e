import fc from "fast-check";
import { describe, expect, inject, test, vi } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { type KeyBackupData, replacesKey } from "../../../src/matrix/key-backup.ts";
import type { KeysOf, RoomKeys } from "../../../src/worker-roomserver/key-backup/api.ts";
import { openKeyBackup } from "../../../src/worker-roomserver/key-backup/open.ts";
import { Answers } from "../../../src/worker-roomserver/node/answers.ts";
import { refusal, requester } from "../support/requester.ts";
import { json } from "../support/room.ts";
import { failUnit } from "../support/rounds.ts";
import { dump, type TestStorage, testStorage } from "../support/storage.ts";

const alice = requester("alice");
const bob = requester("bob");
const method = { algorithm: "m.megolm_backup.v1.curve25519-aes-sha2", auth_data: { public_key: "abc" } };

type Opened = ReturnType<typeof openKeyBackup>;
type Backup = Opened["keyBackup"] & Opened["belongings"] & { storage: TestStorage };

async function open(name?: string): Promise<Backup> {
  const storage = await testStorage(name);
  const answers = await Answers.open(storage, Date.now);
  const { keyBackup, belongings } = openKeyBackup({ storage, answers });
  return Object.assign(keyBackup, belongings, { storage });
}

async function create(backup: Backup, who = alice): Promise<string> {
  return (await backup.create(crypto.randomUUID(), who, method)).version;
}

const key = (data: Partial<KeyBackupData> = {}): KeyBackupData => ({
  first_message_index: 0,
  forwarded_count: 0,
  is_verified: false,
  session_data: { ciphertext: "c" },
  ...data,
});

async function keys(backup: Backup, version: string, which: KeysOf = {}, who = alice): Promise<JsonObject> {
  return json(await backup.keys(who, version, which));
}

const notFound = { errcode: "M_NOT_FOUND", status: 404 };
const invalid = { errcode: "M_INVALID_PARAM", status: 400 };

describe("versions", () => {
  test("count up, the newest that is there is the current one, and none comes twice", async () => {
    const backup = await open();
    expect(await refusal(backup.info(alice, undefined))).toEqual(notFound);
    for (let i = 1; i <= 12; i++) expect(await create(backup)).toBe(String(i));
    expect((await backup.info(alice, undefined)).version).toBe("12");
    await backup.delete(alice, "12");
    expect((await backup.info(alice, undefined)).version).toBe("11");
    expect(await create(backup)).toBe("13");
    expect(await create(backup, bob)).toBe("1");
    expect((await backup.info(alice, "3")).version).toBe("3");
  });

  test("that are asked for twice under one name are made once", async () => {
    const backup = await open();
    const once = await backup.create("request", alice, method);
    const next = await open(backup.storage.name);
    expect(await next.create("request", alice, method)).toEqual(once);
    expect(await create(next)).toBe("2");
  });

  test("say how they are encrypted, and what is in them", async () => {
    const backup = await open();
    const version = await create(backup);
    expect(await backup.info(alice, version)).toEqual({ ...method, version, count: 0, etag: "0" });
    const changed = { ...method, auth_data: { public_key: "abc", signatures: {}, constructor: {} } };
    await backup.update(alice, version, changed);
    await backup.update(alice, version, { ...changed, version });
    expect(await backup.info(alice, version)).toEqual({ ...changed, version, count: 0, etag: "0" });
    expect(await refusal(backup.update(alice, version, { ...changed, version: "2" }))).toEqual(invalid);
    expect(await refusal(backup.update(alice, version, { ...changed, algorithm: "x" }))).toEqual(invalid);
    expect(await refusal(backup.update(alice, "2", changed))).toEqual(notFound);
    expect(await refusal(backup.update(bob, version, changed))).toEqual(notFound);
  });

  test.each(["2", "0", "01", "-1", "1.0", "", "abc", "9".repeat(30)])("%j is none", async (version) => {
    const backup = await open();
    await create(backup);
    const calls = [
      backup.info(alice, version),
      backup.update(alice, version, method),
      backup.delete(alice, version),
      backup.putKeys(alice, version, {}),
      backup.keys(alice, version, {}),
      backup.deleteKeys(alice, version, {}),
    ];
    expect(await Promise.all(calls.map(refusal))).toEqual(calls.map(() => notFound));
  });

  test("take their keys along, and may be deleted again", async () => {
    const backup = await open();
    const [first, second] = [await create(backup), await create(backup)];
    await backup.putKeys(alice, second, { "!r": { s: key() } });
    await backup.delete(alice, second);
    await backup.delete(alice, second);
    expect(await backup.storage.getAllKeys("keyBackupSessions")).toEqual([]);
    expect(await refusal(backup.keys(alice, second, {}))).toEqual(notFound);
    expect(await refusal(backup.delete(bob, first))).toEqual(notFound);
    expect((await backup.info(alice, undefined)).version).toBe(first);
  });
});

describe("keys", () => {
  test("are stored by room and session, and come back as they were", async () => {
    const backup = await open();
    const version = await create(backup);
    const odd = JSON.parse('{"__proto__":{"x":1},"constructor":2}') as JsonObject;
    const rooms: RoomKeys = {
      "!a": { s1: key(), constructor: key({ session_data: odd }) },
      "!b": { s1: key({ first_message_index: 7, is_verified: true }) },
    };
    expect(await backup.putKeys(alice, version, rooms)).toEqual({ count: 3, etag: "1" });
    expect(await keys(backup, version)).toEqual({
      rooms: { "!a": { sessions: rooms["!a"] }, "!b": { sessions: rooms["!b"] } },
    });
    expect(await keys(backup, version, { roomId: "!b" })).toEqual({ sessions: rooms["!b"] });
    expect(await keys(backup, version, { roomId: "!a", sessionId: "s1" })).toEqual(key());
    const text = new TextDecoder().decode(
      await backup.keys(alice, version, { roomId: "!a", sessionId: "constructor" }),
    );
    expect(text).toContain('"__proto__":{"x":1}');
  });

  test("that are not there: an empty answer for many, an error for one", async () => {
    const backup = await open();
    const version = await create(backup);
    expect(await keys(backup, version)).toEqual({ rooms: {} });
    expect(await keys(backup, version, { roomId: "!r" })).toEqual({ sessions: {} });
    expect(await refusal(backup.keys(alice, version, { roomId: "!r", sessionId: "s" }))).toEqual(notFound);
    expect(await refusal(backup.keys(bob, version, {}))).toEqual(notFound);
  });

  test("go into the current version alone, and are read from all", async () => {
    const backup = await open();
    const old = await create(backup);
    await backup.putKeys(alice, old, { "!r": { s: key() } });
    const current = await create(backup);
    const wrong = backup.putKeys(alice, old, { "!r": { t: key() } });
    await expect(wrong).rejects.toMatchObject({
      errcode: "M_WRONG_ROOM_KEYS_VERSION",
      status: 403,
      extra: { current_version: current },
    });
    expect(await keys(backup, old)).toEqual({ rooms: { "!r": { sessions: { s: key() } } } });
    expect(await keys(backup, current)).toEqual({ rooms: {} });
    expect(await backup.deleteKeys(alice, old, {})).toEqual({ count: 0, etag: "2" });
  });

  test("are replaced by better ones alone, and the etag says whether anything has changed", async () => {
    const backup = await open();
    const version = await create(backup);
    const put = (data: KeyBackupData) => backup.putKeys(alice, version, { "!r": { s: data } });
    const [worse, better] = [key({ first_message_index: 5 }), key({ first_message_index: 4 })];
    expect(await put(better)).toEqual({ count: 1, etag: "1" });
    expect(await put(worse)).toEqual({ count: 1, etag: "1" });
    expect(await put(better)).toEqual({ count: 1, etag: "1" });
    const best = key({ is_verified: true, first_message_index: 9 });
    expect(await put(best)).toEqual({ count: 1, etag: "2" });
    expect(await keys(backup, version, { roomId: "!r", sessionId: "s" })).toEqual(best);
    const mixed = { "!r": { s: worse, t: worse } };
    expect(await backup.putKeys(alice, version, mixed)).toEqual({ count: 2, etag: "3" });
    expect(await backup.info(alice, version)).toMatchObject({ count: 2, etag: "3" });
  });

  test("are deleted one by one, by room and all", async () => {
    const backup = await open();
    const version = await create(backup);
    const sessions = { s1: key(), s2: key(), s3: key() };
    await backup.putKeys(alice, version, { "!a": sessions, "!ab": sessions, "!b": sessions });
    const del = (which: KeysOf) => backup.deleteKeys(alice, version, which);
    expect(await del({ roomId: "!a", sessionId: "s2" })).toEqual({ count: 8, etag: "2" });
    expect(await del({ roomId: "!a", sessionId: "s2" })).toEqual({ count: 8, etag: "2" });
    expect(await del({ roomId: "!a" })).toEqual({ count: 6, etag: "3" });
    expect(Object.keys((await keys(backup, version)).rooms as object)).toEqual(["!ab", "!b"]);
    expect(await del({})).toEqual({ count: 0, etag: "4" });
    expect(await del({})).toEqual({ count: 0, etag: "4" });
    expect(await backup.putKeys(alice, version, { "!a": { s1: key() } })).toEqual({ count: 1, etag: "5" });
  });

  test("by the thousand are one unit, and come back in pages", async () => {
    const backup = await open();
    const version = await create(backup);
    const names = Array.from({ length: 1_500 }, (_, i) => `s${i}`);
    const rooms = Object.fromEntries(
      ["!a", "!b"].map((room) => [room, Object.fromEntries(names.map((name) => [name, key()]))]),
    );
    const commit = vi.spyOn(backup.storage, "commit");
    expect(await backup.putKeys(alice, version, rooms)).toEqual({ count: 3_000, etag: "1" });
    expect(commit).toHaveBeenCalledTimes(1);
    const all = (await keys(backup, version)).rooms as Record<string, { sessions: object }>;
    for (const room of ["!a", "!b"])
      expect(Object.keys(all[room]!.sessions).sort()).toEqual(names.toSorted());
    await backup.delete(alice, version);
    expect(await backup.storage.getAllKeys("keyBackupSessions")).toEqual([]);
  });

  test.each<[what: string, which: KeysOf, ids: string[]]>([
    ["all of a page's length", {}, ["500"]],
    ["one more than a page", {}, ["500", "1"]],
    ["a room whose page ends where it does", { roomId: "!0" }, ["500", "1"]],
  ])("are all there: %s", async (_, which, sizes) => {
    const backup = await open();
    const version = await create(backup);
    const rooms = sizes.map((size, i) => {
      const ids = Array.from({ length: Number(size) }, (_, n) => [`s${n}`, key()] as const);
      return [`!${i}`, Object.fromEntries(ids)] as const;
    });
    await backup.putKeys(alice, version, Object.fromEntries(rooms));
    const got = await keys(backup, version, which);
    if (which.roomId === undefined) {
      expect(got).toEqual({ rooms: Object.fromEntries(rooms.map(([id, sessions]) => [id, { sessions }])) });
    } else expect(got).toEqual({ sessions: rooms[0]![1] });
  });

  test.each(["", "x".repeat(256)])("have ids that can be kept, and not %j", async (id) => {
    const backup = await open();
    const version = await create(backup);
    const before = await dump(backup.storage);
    const put = (rooms: RoomKeys) => refusal(backup.putKeys(alice, version, rooms));
    expect(await put({ "!r": { ok: key() }, [id]: { s: key() } })).toEqual(invalid);
    expect(await put({ "!r": { ok: key(), [id]: key() } })).toEqual(invalid);
    expect(await dump(backup.storage)).toEqual(before);
  });
});

test("all of a user goes with their account", async () => {
  const backup = await open();
  for (const who of [alice, bob]) {
    await backup.putKeys(who, await create(backup, who), { "!r": { s: key() } });
  }
  const { userId } = alice;
  await backup.storage.commit(await backup.removal({ userId, deviceIds: ["PHONE"], isAccount: false }));
  expect(await backup.storage.getAllKeys("keyBackupSessions")).toHaveLength(2);
  await backup.storage.commit(await backup.removal({ userId, deviceIds: [], isAccount: true }));
  expect(await refusal(backup.info(alice, undefined))).toEqual(notFound);
  expect(await keys(backup, "1", {}, bob)).toEqual({ rooms: { "!r": { sessions: { s: key() } } } });
  expect(await backup.storage.getAllKeys("keyBackupSessions")).toHaveLength(1);
});

test("what the disk refuses is not there, and the next is as if it had not been", async () => {
  const backup = await open();
  const version = await create(backup);
  const commit = backup.storage.commit.bind(backup.storage);
  vi.spyOn(backup.storage, "commit").mockImplementationOnce((fill, options) =>
    commit((write) => {
      const filled = fill(write);
      failUnit(write);
      return filled;
    }, options),
  );
  const [failed, next] = await Promise.allSettled([
    backup.putKeys(alice, version, { "!r": { s: key() } }),
    backup.putKeys(alice, version, { "!r": { t: key() } }),
  ]);
  expect(failed.status).toBe("rejected");
  expect(next).toEqual({ status: "fulfilled", value: { count: 1, etag: "1" } });
  expect(await keys(backup, version)).toEqual({ rooms: { "!r": { sessions: { t: key() } } } });
});

type Step =
  | { do: "put"; rooms: Record<string, Record<string, KeyBackupData>> }
  | { do: "delete"; which: KeysOf }
  | { do: "reopen" };

const id = fc.constantFrom("a", "b", "c");
const data = fc
  .record({ first_message_index: fc.nat(2), forwarded_count: fc.nat(2), is_verified: fc.boolean() })
  .map((fields) => key(fields));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("put" as const),
      rooms: fc.dictionary(id, fc.dictionary(id, data, { noNullPrototype: true }), { noNullPrototype: true }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("delete" as const),
      which: fc.oneof(fc.constant({}), fc.record({ roomId: id }), fc.record({ roomId: id, sessionId: id })),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "reopen" as const }) },
);

test("count, etag and keys are those of the plainest backup, whatever is put and deleted at once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
      async (rounds) => {
        let backup = await open();
        const version = await create(backup);
        const model = new Map<string, KeyBackupData>();
        let etag = 0;
        const wanted = (taken: Step) => {
          let changed = false;
          if (taken.do === "put") {
            for (const [room, sessions] of Object.entries(taken.rooms)) {
              for (const [session, put] of Object.entries(sessions)) {
                const present = model.get(`${room} ${session}`);
                if (present !== undefined && !replacesKey(put, present)) continue;
                model.set(`${room} ${session}`, put);
                changed = true;
              }
            }
          } else if (taken.do === "delete") {
            const { roomId, sessionId } = taken.which;
            for (const place of [...model.keys()]) {
              const [room, session] = place.split(" ");
              if (roomId !== undefined && roomId !== room) continue;
              if (sessionId !== undefined && sessionId !== session) continue;
              model.delete(place);
              changed = true;
            }
          }
          if (changed) etag += 1;
          return { count: model.size, etag: String(etag) };
        };
        for (const round of rounds) {
          if (round.some((taken) => taken.do === "reopen")) backup = await open(backup.storage.name);
          const done = round.filter((taken) => taken.do !== "reopen");
          const states = done.map((taken) => wanted(taken));
          const got = await Promise.all(
            done.map((taken) =>
              taken.do === "put"
                ? backup.putKeys(alice, version, taken.rooms)
                : backup.deleteKeys(alice, version, taken.which),
            ),
          );
          expect(got).toEqual(states);
        }
        const { rooms } = (await keys(backup, version)) as {
          rooms: Record<string, { sessions: RoomKeys[string] }>;
        };
        const found = Object.entries(rooms).flatMap(([room, { sessions }]) =>
          Object.entries(sessions).map(([session, put]) => [`${room} ${session}`, put] as const),
        );
        expect(new Map(found)).toEqual(model);
        expect(await backup.info(alice, version)).toMatchObject({ count: model.size, etag: String(etag) });
      },
    ),
    { numRuns: Math.ceil(inject("propertyRuns") / 2) },
  );
});
