import type { GivenKey, KeyMailboxRequest, TakenBack } from "../../link/relay-api.ts";
import { MatrixError } from "../../matrix/errors.ts";
import type { JsonObject, JsonValue } from "../../matrix/json.ts";
import type { Documents } from "../documents/api.ts";
import { deposited, give, takeBack, type UserKeys } from "./user-keys.ts";

/** By user, by device: the algorithm of which a key is wanted. */
export type Wanted = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** What others get of a node's users while it is away. Each step is on the disk before it is answered. */
export type KeyMailbox = {
  /**
   * @throws {MatrixError} M_CONFLICT (409) for one from before the keys were taken back, M_TOO_LARGE (413),
   *   M_LIMIT_EXCEEDED (403) for more users than a node may have here, M_BAD_JSON and M_INVALID_PARAM (400) for keys
   *   that are none
   */
  deposit(owner: string, userId: string, upload: KeyMailboxRequest): Promise<void>;
  takeBack(owner: string, acknowledge: number | undefined): Promise<TakenBack>;
  /** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1userdevicesuserid */
  devices(owner: string, userId: string): Promise<JsonValue | undefined>;
  /**
   * @param wanted - users, each with the devices asked for, none meaning all
   * @returns undefined where nothing is known of any of them
   * @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysquery
   */
  query(owner: string, wanted: ReadonlyMap<string, readonly string[]>): Promise<JsonObject | undefined>;
  /**
   * @returns undefined where nothing is known of any of the users
   * @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysclaim
   */
  claim(owner: string, wanted: Wanted): Promise<JsonObject | undefined>;
};

/**
 * Where taking back stands: `number` is that of the latest answer. While `gathering`, users' keys are being moved into
 * it; `gathered`, it is whole and waits to be acknowledged.
 */
type NodeRecord = { users: string[]; number: number; state: "closed" | "gathering" | "gathered" };

const NODE = "key-mailbox";
const USER = "keys-to-give";
const MAX_USERS = 64;
const fresh: NodeRecord = { users: [], number: 0, state: "closed" };

/** A server name has no slash. */
const userKey = (owner: string, userId: string) => `${owner}/${userId}`;

export function openKeyMailbox(documents: Documents): KeyMailbox {
  const read = (owner: string, userId: string) => documents.read<UserKeys>(USER, userKey(owner, userId));

  const contentsOf = async (owner: string, users: Iterable<string>) => {
    const found = new Map<string, NonNullable<UserKeys["content"]>>();
    for (const userId of users) {
      const content = (await read(owner, userId))?.content;
      if (content !== undefined) found.set(userId, content);
    }
    return found;
  };

  return {
    deposit: async (owner, userId, upload) => {
      // Checked here and again below: a user who is new is known to whoever takes back before there are keys.
      await documents.change<NodeRecord, void>(NODE, owner, (record = fresh) => {
        requireCurrent(upload.taken_back, record.number);
        if (record.users.includes(userId)) return { result: undefined };
        if (record.users.length >= MAX_USERS) {
          throw new MatrixError("M_LIMIT_EXCEEDED", 403, `At most ${MAX_USERS} users have keys here.`);
        }
        return { to: { ...record, users: [...record.users, userId] }, result: undefined };
      });
      await documents.change<UserKeys, void>(USER, userKey(owner, userId), (keys) => {
        requireCurrent(upload.taken_back, keys?.taken?.number ?? 0);
        return { to: deposited(keys, upload), result: undefined };
      });
    },

    takeBack: async (owner, acknowledge) => {
      const { users, number, state } = await documents.change<NodeRecord, NodeRecord>(
        NODE,
        owner,
        (record = fresh) => {
          if (record.state !== "closed" && acknowledge !== record.number) return { result: record };
          const next: NodeRecord = { ...record, number: record.number + 1, state: "gathering" };
          return { to: next, result: next };
        },
      );
      const answer: TakenBack = { number, given: [], left: [] };
      for (const userId of users) {
        const taken = await documents.change<UserKeys, UserKeys["taken"]>(
          USER,
          userKey(owner, userId),
          (keys) => takeBack(keys, number, state === "gathered"),
        );
        if (taken?.number !== number) continue;
        answer.given.push(...taken.given.map((name): GivenKey => ({ user_id: userId, ...name })));
        answer.left.push(...taken.left.map((name): GivenKey => ({ user_id: userId, ...name })));
      }
      // What says nothing need not be acknowledged.
      const then = answer.given.length + answer.left.length === 0 ? "closed" : "gathered";
      await documents.change<NodeRecord, void>(NODE, owner, (record = fresh) =>
        record.number === number && record.state === "gathering"
          ? { to: { ...record, state: then }, result: undefined }
          : { result: undefined },
      );
      return answer;
    },

    devices: async (owner, userId) => (await read(owner, userId))?.content?.devices,

    query: async (owner, wanted) => {
      const found = await contentsOf(owner, wanted.keys());
      if (found.size === 0) return undefined;
      const of = (kind: "master_key" | "self_signing_key") =>
        Object.fromEntries([...found].flatMap(([user, { [kind]: key }]) => (key ? [[user, key]] : [])));
      return {
        device_keys: Object.fromEntries(
          [...found].map(([user, { device_keys }]) => [user, only(device_keys, wanted.get(user) ?? [])]),
        ),
        master_keys: of("master_key"),
        self_signing_keys: of("self_signing_key"),
      };
    },

    claim: async (owner, wanted) => {
      const known = await contentsOf(owner, wanted.keys());
      if (known.size === 0) return undefined;
      const users: [string, JsonObject][] = [];
      for (const [userId, devices] of wanted) {
        if (!known.has(userId)) continue;
        const given = await documents.change<UserKeys, JsonObject>(USER, userKey(owner, userId), (keys) =>
          keys === undefined ? { result: {} } : give(keys, devices),
        );
        if (Object.keys(given).length > 0) users.push([userId, given]);
      }
      return { one_time_keys: Object.fromEntries(users) };
    },
  };
}

function requireCurrent(takenBack: number | undefined, number: number): void {
  if (takenBack !== undefined && takenBack < number) {
    throw new MatrixError("M_CONFLICT", 409, "The keys have been taken back since: deposit them again.");
  }
}

function only(keys: JsonObject, devices: readonly string[]): JsonObject {
  if (devices.length === 0) return keys;
  const wanted = new Set(devices);
  return Object.fromEntries(Object.entries(keys).filter(([deviceId]) => wanted.has(deviceId)));
}
