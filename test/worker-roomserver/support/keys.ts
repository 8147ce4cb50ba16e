import { chooseEd25519 } from "../../../src/matrix/ed25519.ts";
import type { UserId } from "../../../src/matrix/identifiers.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import type {
  Keys,
  KeysForReaders,
  KeysForRelays,
  KeysForServers,
} from "../../../src/worker-roomserver/keys/api.ts";
import { openKeys } from "../../../src/worker-roomserver/keys/open.ts";
import { Answers } from "../../../src/worker-roomserver/node/answers.ts";
import type { DeviceRequester } from "../../../src/worker-roomserver/node/requester.ts";
import { type CryptoDevice, cryptoDevice } from "./crypto-device.ts";
import { unreachableKeys } from "./remote-keys.ts";
import { login, register, request, requesterOf, serverName, type TestUsers, testUsers } from "./users.ts";

export type TestKeys = {
  users: TestUsers;
  keys: Keys & KeysForReaders & KeysForServers & KeysForRelays;
  /** Somebody's new account, and the crypto of its first device, of which nothing is uploaded yet. */
  join: (username: string, deviceId?: string) => Promise<Somebody>;
  /** Another device of an account that is there. */
  logIn: (username: string, deviceId: string) => Promise<Somebody>;
  /** What other servers are told. */
  told: { device_names_for_servers: boolean };
  /** Leaves a message for a device. */
  send: (userId: string, deviceId: string, event: JsonObject) => Promise<void>;
  /** As when the tab goes away; the next leader. */
  reopen: () => Promise<TestKeys>;
};

export type Somebody = DeviceRequester & { device: CryptoDevice };

type SentMessage = { userId: string; deviceId: string; event: JsonObject; position: number };

/** Keys and users over a database of their own. */
export async function testKeys(): Promise<TestKeys> {
  return over(await testUsers());
}

async function over(users: TestUsers): Promise<TestKeys> {
  const { storage, world } = users;
  const messages: SentMessage[] = [];
  const told = { device_names_for_servers: false };
  const { keys, belongings } = openKeys({
    storage,
    answers: await Answers.open(storage, () => world.time),
    users,
    oauth: { confirmCrossSigningReset: (...asked) => users.confirmOwner(...asked) },
    serverName,
    remote: unreachableKeys,
    settings: () => told,
    ed25519: await chooseEd25519(crypto.subtle),
    toDevice: {
      messages: async (userId, deviceId, { after, upTo, limit }) => {
        const waiting = messages.filter(
          (each) => each.userId === userId && each.deviceId === deviceId && each.position > after,
        );
        const page = waiting.slice(0, limit);
        return { messages: page, upTo: page.length < waiting.length ? page.at(-1)!.position : upTo };
      },
    },
  });
  world.belongings = belongings;
  const somebody = async (requester: DeviceRequester): Promise<Somebody> => ({
    ...requester,
    device: await cryptoDevice(requester.userId, requester.deviceId),
  });
  return {
    users,
    keys,
    told,
    send: async (userId, deviceId, event) => {
      const user = await storage.names.intern(userId);
      const position = await storage.commit((write) => write.append({ topic: "toDevice", user }));
      messages.push({ userId, deviceId, event, position });
    },
    join: async (username, deviceId = "PHONE") =>
      somebody(await requesterOf(users, await register(users, username, { device_id: deviceId }))),
    logIn: async (username, deviceId) =>
      somebody(await requesterOf(users, await login(users, username, { device_id: deviceId }))),
    reopen: async () => over(await users.reopen()),
  };
}

export const userIdOf = (username: string) => `@${username}:${serverName}` as UserId;

/** Claims one key of a device. @returns its name and itself, if there was one */
export async function claimOne(
  keys: Keys,
  { userId, deviceId }: DeviceRequester,
  asked: { request?: string; algorithm?: string } = {},
): Promise<[name: string, key: unknown] | undefined> {
  const algorithm = asked.algorithm ?? "signed_curve25519";
  const answer = await keys.claim(asked.request ?? request(), { [userId]: { [deviceId]: algorithm } });
  return Object.entries(answer.one_time_keys[userId]?.[deviceId] ?? {})[0];
}
