import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Settings } from "../../../src/worker-roomserver/settings/api.ts";
import { defaultSettings } from "../../../src/worker-roomserver/settings/defaults.ts";
import { openSettings } from "../../../src/worker-roomserver/settings/open.ts";
import { diesAfterNextUnit, failUnit } from "../support/rounds.ts";
import { testStorage } from "../support/storage.ts";
import { error } from "../support/users.ts";

const turn = { uris: ["turn:turn.example.org:3478?transport=udp"], ttl: 3600, secret: "s" };
const support = { contacts: [{ role: "m.role.admin", matrix_id: "@admin:example.org" }] };

async function opened(name?: string) {
  const storage = await testStorage(name);
  const settings = await openSettings({ storage });
  return { storage, settings };
}

test("what nobody has set is as it is at first, and what was set is there for the next leader", async () => {
  const { storage, settings } = await opened();
  expect(await settings.get()).toEqual(defaultSettings);
  expect(await settings.set({ registration: "token", turn })).toEqual({
    ...defaultSettings,
    registration: "token",
    turn,
  });
  await settings.set({ support });
  await storage.flushed();
  storage.close();
  const next = await opened(storage.name);
  expect(next.settings.current).toEqual({ ...defaultSettings, registration: "token", turn, support });
});

test("changes made at once are all there", async () => {
  const { settings } = await opened();
  await Promise.all([
    settings.set({ guests: false }),
    settings.set({ turn }),
    settings.set({ registration: "closed" }),
  ]);
  expect(settings.current).toEqual({ ...defaultSettings, registration: "closed", guests: false, turn });
});

test("a leader that dies after a setting was written has set it", async () => {
  const { storage, settings } = await opened();
  const dying = diesAfterNextUnit(storage);
  void settings.set({ guests: false });
  await dying;
  storage.close();
  expect((await opened(storage.name)).settings.current.guests).toBe(false);
});

test("what the disk refuses is not shown", async () => {
  const { storage, settings } = await opened();
  const commit = storage.commit.bind(storage);
  storage.commit = (fill, options) =>
    commit((write) => {
      failUnit(write);
      return fill(write);
    }, options);
  await expect(settings.set({ guests: false })).rejects.toThrow();
  expect(settings.current.guests).toBe(true);
});

describe("what is no setting is refused, and nothing is changed", () => {
  test.each<[what: string, change: object]>([
    ["an unknown name", { colour: "blue" }],
    ["a name that every object has", { constructor: true }],
    ["a registration of another kind", { registration: "maybe" }],
    ["guests that are no truth", { guests: "yes" }],
    ["an undefined value", { guests: undefined }],
    ["TURN without URIs", { turn: { ...turn, uris: [] } }],
    ["TURN with another scheme", { turn: { ...turn, uris: ["https://turn.example.org"] } }],
    ["TURN of no time", { turn: { ...turn, ttl: 0 } }],
    ["TURN with half a second", { turn: { ...turn, ttl: 1.5 } }],
    ["TURN with a secret and a password", { turn: { ...turn, username: "u", password: "p" } }],
    ["TURN with a name alone", { turn: { uris: turn.uris, ttl: 1, username: "u" } }],
    ["support of nobody", { support: { contacts: [] } }],
    ["a contact without a role", { support: { contacts: [{ matrix_id: "@a:b.c" }] } }],
    ["a contact without an address", { support: { contacts: [{ role: "m.role.admin" }] } }],
    ["a contact that is no user", { support: { contacts: [{ role: "m.role.admin", matrix_id: "admin" }] } }],
    ["an ownership that is no truth", { first_user_is_admin: 1 }],
    ["a secret that can be guessed", { registration_secret: "1234567" }],
    ["no secret, as nothing", { registration_secret: "" }],
    ["a cost of a text", { password_cost: "8,1,1" }],
    ["a cost without lanes", { password_cost: { memoryKiB: 64, iterations: 1 } }],
    ["a cost that Argon2 refuses", { password_cost: { memoryKiB: 15, iterations: 1, parallelism: 2 } }],
    ["a cost beyond all measure", { password_cost: { memoryKiB: 64, iterations: 101, parallelism: 1 } }],
    ["a cost of more", { password_cost: { memoryKiB: 64, iterations: 1, parallelism: 1, salt: "x" } }],
    ["a room version of the future", { room_version: "13" }],
    ["a room version that is a number", { room_version: 12 }],
    ["limits that are no truth", { rate_limits: null }],
    ["federation of nothing", { federation: {} }],
    ["a back-off that begins with nothing", { federation: { backOff: { first: 0, most: 1 } } }],
    ["a back-off that shrinks", { federation: { backOff: { first: 2, most: 1 } } }],
    ["federation of more", { federation: { backOff: { first: 1, most: 1 }, x: 1 } }],
    ["a page that runs", { support: { contacts: [], support_page: "javascript:alert(1)" } }],
  ])("%s", async (_, change) => {
    const { settings } = await opened();
    const both = { registration: "closed", ...change } as Partial<Settings>;
    await expect(settings.set(both)).rejects.toEqual(error("M_INVALID_PARAM", 400));
    expect(settings.current).toEqual(defaultSettings);
  });

  test("whatever comes: a sentence, or a setting that can be read again", async () => {
    const { settings } = await opened();
    const names = fc.constantFrom(...Object.keys(defaultSettings), "x");
    await fc.assert(
      fc.asyncProperty(fc.dictionary(names, fc.anything()), async (change) => {
        const before = settings.current;
        const outcome = await settings.set(change as Partial<Settings>).catch((reason: unknown) => reason);
        if (outcome instanceof Error) {
          expect(outcome).toEqual(error("M_INVALID_PARAM", 400));
          expect(settings.current).toEqual(before);
        } else expect(settings.current).toEqual({ ...before, ...change });
      }),
      { numRuns: 50 },
    );
  });
});

test("what tests want: no limits, cheap passwords, an old room version, another server asked at once", async () => {
  const { settings } = await opened();
  const wanted = {
    ...{
      rate_limits: false,
      room_version: "10",
      registration_secret: "12345678",
      first_user_is_admin: false,
    },
    password_cost: { memoryKiB: 8, iterations: 1, parallelism: 1 },
    federation: { backOff: { first: 1, most: 1 } },
  };
  expect(await settings.set(wanted)).toEqual({ ...defaultSettings, ...wanted });
});

test("turning something off again", async () => {
  const { settings } = await opened();
  await settings.set({ turn, support: { contacts: [], support_page: "https://example.org/help" } });
  await settings.set({ turn: null, support: null });
  expect(settings.current).toEqual(defaultSettings);
});
