import { expect, vi } from "vitest";
import { parseServerName } from "../../../src/matrix/identifiers.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { Answers } from "../../../src/worker-roomserver/node/answers.ts";
import type { DeviceRequester } from "../../../src/worker-roomserver/node/requester.ts";
import { requireDevice } from "../../../src/worker-roomserver/node/require-device.ts";
import type { Settings } from "../../../src/worker-roomserver/settings/api.ts";
import { defaultSettings } from "../../../src/worker-roomserver/settings/defaults.ts";
import type {
  Belongings,
  LoginResult,
  ProfilesAnnounced,
  RegisterBody,
  UiaChallenge,
} from "../../../src/worker-roomserver/users/api.ts";
import { openUsers } from "../../../src/worker-roomserver/users/open.ts";
import type { PasswordCost } from "../../../src/worker-roomserver/users/passwords.ts";
import { noAppServices } from "./app-services.ts";
import { failUnit } from "./rounds.ts";
import { type TestStorage, testStorage } from "./storage.ts";

export const serverName = parseServerName("home.example");
/** As little work as Argon2 can be asked for. */
export const cheap: PasswordCost = { memoryKiB: 8, iterations: 1, parallelism: 1 };
export const dummy: JsonObject = { type: "m.login.dummy" };

/** What lasts from one leader to the next. */
export type World = {
  time: number;
  settings: Settings;
  leaveRooms: (userId: string) => Promise<void>;
  profilesAnnounced: ProfilesAnnounced;
  belongings: Belongings;
};

export type TestUsers = Awaited<ReturnType<typeof openUsers>> & {
  storage: TestStorage;
  world: World;
  /** Closes the database, as when a tab goes away, and opens it as the next leader. */
  reopen: () => Promise<TestUsers>;
};

/** Users over a database of their own: registration is open, guests may come, time stands still. */
export function testUsers(settings: Partial<Settings> = {}): Promise<TestUsers> {
  return opened({
    time: 1_700_000_000_000,
    settings: { ...defaultSettings, password_cost: cheap, ...settings },
    leaveRooms: vi.fn(async () => undefined),
    profilesAnnounced: async () => undefined,
    belongings: { removal: vi.fn(async () => () => undefined) },
  });
}

async function opened(world: World, name?: string): Promise<TestUsers> {
  const storage = await testStorage(name);
  const now = () => world.time;
  const users = await openUsers({
    storage,
    answers: await Answers.open(storage, now),
    serverName,
    appServices: noAppServices,
    now,
    settings: () => world.settings,
    leaveRooms: (userId) => world.leaveRooms(userId),
    profilesAnnounced: (position) => world.profilesAnnounced(position),
    belongings: () => [world.belongings],
  });
  const reopen = async () => {
    await storage.flushed();
    storage.close();
    return opened(world, storage.name);
  };
  return Object.assign(users, { storage, world, reopen });
}

/** Any request of its own. */
export const request = () => crypto.randomUUID();

export type LoggedIn = Required<Pick<LoginResult, "user_id" | "device_id" | "access_token">> & LoginResult;

/** The answer of a call that succeeded, where it could have been a challenge. */
export function done<T extends object>(result: T | UiaChallenge): T {
  expect(result).not.toHaveProperty("uia");
  return result as T;
}

/** The body of the 401 of a call that wants authentication. */
export function challenge(result: object): JsonObject {
  expect(result).toHaveProperty("uia");
  return (result as UiaChallenge).uia;
}

export async function register(
  users: TestUsers,
  username: string,
  more: RegisterBody = {},
): Promise<LoggedIn> {
  const body = { username, password: "secret", auth: dummy, ...more };
  return done(await users.register(request(), "user", body)) as LoggedIn;
}

export async function login(users: TestUsers, user: string, more: object = {}): Promise<LoggedIn> {
  const body = {
    type: "m.login.password",
    identifier: { type: "m.id.user", user },
    password: "secret",
    ...more,
  };
  return (await users.login(request(), body)) as LoggedIn;
}

export async function requesterOf(users: TestUsers, { access_token }: LoggedIn): Promise<DeviceRequester> {
  return requireDevice((await users.authenticate(access_token)).requester);
}

/** The `auth` with which a user gives their password. */
export const passwordAuth = (user: string, more: JsonObject = {}): JsonObject => ({
  type: "m.login.password",
  identifier: { type: "m.id.user", user },
  password: "secret",
  ...more,
});

/** Lets the disk refuse what is committed next, whole. */
export function failNextCommit(storage: TestStorage): void {
  const commit = storage.commit.bind(storage);
  vi.spyOn(storage, "commit").mockImplementationOnce((fill, options) =>
    commit((write) => {
      const filled = fill(write);
      failUnit(write);
      return filled;
    }, options),
  );
}

/** Keeps what is committed next from the disk until it is released. `reached`: there is such a commit. */
export function holdNextCommit(storage: TestStorage): { reached: Promise<void>; release: () => void } {
  const commit = storage.commit.bind(storage);
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    vi.spyOn(storage, "commit").mockImplementationOnce(async (fill, options) => {
      resolve();
      await released;
      return commit(fill, options);
    });
  });
  return { reached, release };
}

export const error = (errcode: string, status: number) => expect.objectContaining({ errcode, status });
