import type { JsonValue } from "../../matrix/json.ts";
import type { Write } from "../storage/api.ts";
import type { DepositedKeyRow, OneTimeKeyRow } from "../storage/schema.ts";
import type { KeysByDevice, KeysForRelays, NamedKey } from "./api.ts";
import { groupBy } from "./group.ts";
import { tellClaimed } from "./list-changes.ts";
import type { KeyParts } from "./parts.ts";
import { startingWith } from "./rows.ts";

/** Who sleeps for long is met with the fallback key; a relay that keeps what it was given costs no more than this. */
const MOST_AT_A_RELAY = 20;

type Place = [userId: string, deviceId: string, algorithm: string, n: number];
type DepositParts = Pick<KeyParts, "storage" | "users" | "oneTimeKeys">;

/** @see KeysForRelays */
export function keyDeposits(parts: DepositParts): KeysForRelays {
  return {
    usersWithDevices: async () => [
      ...new Set((await parts.storage.getAllKeys("deviceKeys")).map(([userId]) => userId)),
    ],
    deposit: (userId, relay) => parts.users.holding([userId], () => deposit(parts, userId, relay)),
    withdraw: (userId, relay, keys) =>
      parts.users.holding([userId], () => withdraw(parts, userId, relay, keys)),
    takeBack: (relay, keys, also) => takeBack(parts, relay, keys, also),
  };
}

async function deposit({ storage }: DepositParts, userId: string, relay: string) {
  const range = startingWith(userId);
  const [places, rows, deposited, depositedRows, fallbacks, fallbackRows] = await Promise.all([
    storage.getAllKeys("oneTimeKeys", range),
    storage.getAll("oneTimeKeys", range),
    storage.getAllKeys("depositedKeys", range),
    storage.getAll("depositedKeys", range),
    storage.getAllKeys("fallbackKeys", range),
    storage.getAll("fallbackKeys", range),
  ]);
  const here = byDevice(places.map((place, i) => ({ place, row: rows[i]! })));
  const there = byDevice(
    deposited.filter((_, i) => depositedRows[i]![0] === relay).map((place) => ({ place, row: undefined })),
  );
  const chosen = [...here].flatMap(([device, keys]) => {
    const has = there.get(device)?.length ?? 0;
    const share = Math.min(MOST_AT_A_RELAY, Math.floor((keys.length + has) / 2)) - has;
    // The node itself begins with the oldest.
    return share > 0 ? keys.slice(-share) : [];
  });
  if (chosen.length > 0) {
    await storage.commit((write) => {
      for (const { place, row } of chosen) {
        write.delete("oneTimeKeys", place);
        write.put("depositedKeys", [relay, ...row], place);
      }
    });
  }
  return {
    oneTimeKeys: named(chosen.map(({ place, row }) => [place, ...row])),
    fallbackKeys: named(
      fallbacks.map(([user, device, algorithm], i) => {
        const { id, json } = fallbackRows[i]!;
        return [[user, device, algorithm, 0], id, json];
      }),
    ),
  };
}

async function withdraw(
  { storage }: DepositParts,
  userId: string,
  relay: string,
  oneTimeKeys: KeysByDevice,
): Promise<void> {
  const deposited = await depositedAt({ storage }, relay, startingWith(userId));
  const named = deposited.filter(({ place: [, deviceId, algorithm], row: [id] }) =>
    Object.hasOwn(oneTimeKeys[deviceId] ?? {}, `${algorithm}:${id}`),
  );
  if (named.length === 0) return;
  await storage.commit((write) => {
    for (const { place, row } of named) {
      write.delete("depositedKeys", place);
      write.put("oneTimeKeys", row, place);
    }
  });
}

/**
 * What the relay does not name may be in a deposit that is still on its way to it, and would then be given out by it: so
 * it is lost rather than given out twice.
 */
async function takeBack(
  { storage, users, oneTimeKeys }: DepositParts,
  relay: string,
  { given, left }: { given: readonly NamedKey[]; left: readonly NamedKey[] },
  also: (write: Write) => void,
): Promise<void> {
  const places = await storage.getAllKeys("depositedKeys");
  const concerned = new Set([...places.map(([userId]) => userId), ...given.map(({ userId }) => userId)]);
  await users.holding([...concerned], async () => {
    const deposited = await depositedAt({ storage }, relay);
    const isLeft = new Set(left.map(nameOf));
    const wasGiven = new Set(given.map(nameOf));
    const [fallbacks, fallbackRows] = await fallbackKeysOf({ storage }, given);
    const nids = new Map<string, number>();
    for (const userId of concerned) nids.set(userId, await storage.names.intern(userId));
    await storage.commit((write) => {
      const lessThanBefore = new Map<string, [userId: string, deviceId: string]>();
      for (const { place, row } of deposited) {
        const [userId, deviceId, algorithm] = place;
        write.delete("depositedKeys", place);
        if (isLeft.has(nameOf({ userId, deviceId, keyId: `${algorithm}:${row[0]}` }))) {
          write.put("oneTimeKeys", row, place);
          continue;
        }
        oneTimeKeys.used(write, place, row);
        lessThanBefore.set(nameOf({ userId, deviceId, keyId: "" }), [userId, deviceId]);
      }
      fallbacks.forEach(([userId, deviceId, algorithm], i) => {
        const row = fallbackRows[i]!;
        const keyId = `${algorithm}:${row.id}`;
        if (row.used || !wasGiven.has(nameOf({ userId, deviceId, keyId }))) return;
        oneTimeKeys.usedFallback(write, [userId, deviceId, algorithm], row);
        lessThanBefore.set(nameOf({ userId, deviceId, keyId: "" }), [userId, deviceId]);
      });
      // Those devices upload new ones when they hear of it.
      for (const [userId, deviceId] of lessThanBefore.values()) {
        tellClaimed(write, nids.get(userId)!, deviceId);
      }
      also(write);
    });
  });
}

async function depositedAt(
  { storage }: Pick<KeyParts, "storage">,
  relay: string,
  range?: IDBKeyRange,
): Promise<{ place: Place; row: OneTimeKeyRow }[]> {
  const [places, rows]: [Place[], DepositedKeyRow[]] = await Promise.all([
    storage.getAllKeys("depositedKeys", range),
    storage.getAll("depositedKeys", range),
  ]);
  return places
    .map((place, i) => {
      const [at, ...row] = rows[i]!;
      return { place, row, at };
    })
    .filter(({ at }) => at === relay);
}

async function fallbackKeysOf({ storage }: Pick<KeyParts, "storage">, keys: readonly NamedKey[]) {
  const users = [...new Set(keys.map(({ userId }) => userId))];
  const found = await Promise.all(
    users.map((userId) =>
      Promise.all([
        storage.getAllKeys("fallbackKeys", startingWith(userId)),
        storage.getAll("fallbackKeys", startingWith(userId)),
      ]),
    ),
  );
  return [found.flatMap(([places]) => places), found.flatMap(([, rows]) => rows)] as const;
}

/** By device and algorithm, the oldest first. */
const byDevice = <K extends { place: Place }>(keys: readonly K[]) =>
  groupBy(keys, ({ place: [userId, deviceId, algorithm] }) => nameOf({ userId, deviceId, keyId: algorithm }));

function named(keys: readonly [place: Place, id: string, json: string][]): KeysByDevice {
  const devices = groupBy(keys, ([[, deviceId]]) => deviceId);
  return Object.fromEntries(
    [...devices].map(([deviceId, of]) => [
      deviceId,
      Object.fromEntries(
        of.map(([[, , algorithm], id, json]) => [`${algorithm}:${id}`, JSON.parse(json) as JsonValue]),
      ),
    ]),
  );
}

const nameOf = ({ userId, deviceId, keyId }: NamedKey) => JSON.stringify([userId, deviceId, keyId]);
