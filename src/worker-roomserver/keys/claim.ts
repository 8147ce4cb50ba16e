import type { RequestId } from "../node/requester.ts";
import type { ClaimAnswer, NamedKeys, WantedKeys } from "./api.ts";
import { groupBy } from "./group.ts";
import { tellClaimed } from "./list-changes.ts";
import type { Claimed } from "./one-time-keys.ts";
import type { KeyParts } from "./parts.ts";
import { split } from "./query.ts";

type ClaimedFrom = Claimed & { userId: string; deviceId: string };

/**
 * Nobody else looks at the keys of these users until it is on the disk which of them are given out; so whoever dies
 * when has at most taken keys that nobody gets.
 * @see Keys.claim
 */
export function claim(parts: KeyParts, request: RequestId, wanted: WantedKeys): Promise<ClaimAnswer> {
  const { storage, answers, users } = parts;
  return answers.once<ClaimAnswer>(request, async (record) => {
    const { local, failures } = split(parts.serverName, Object.keys(wanted));
    return users.holding(local, async () => {
      const asked = local.flatMap((userId) =>
        Object.entries(wanted[userId]!).map(([deviceId, algorithm]) => ({ userId, deviceId, algorithm })),
      );
      const claimed = (await Promise.all(asked.map((each) => next(parts, each)))).filter(
        (found) => found !== undefined,
      );
      const answer = { one_time_keys: byUser(claimed), failures };
      if (claimed.length === 0) return answer;
      const nids = new Map(
        await Promise.all(local.map(async (userId) => [userId, await storage.names.intern(userId)] as const)),
      );
      return storage.commit((write) => {
        for (const { userId, deviceId, take } of claimed) {
          take(write);
          tellClaimed(write, nids.get(userId)!, deviceId);
        }
        return record(write, answer);
      });
    });
  });
}

async function next(
  { oneTimeKeys }: KeyParts,
  asked: { userId: string; deviceId: string; algorithm: string },
): Promise<ClaimedFrom | undefined> {
  const { userId, deviceId, algorithm } = asked;
  const claimed = await oneTimeKeys.next([userId, deviceId], algorithm);
  return claimed && { ...claimed, userId, deviceId };
}

function byUser(claimed: readonly ClaimedFrom[]): ClaimAnswer["one_time_keys"] {
  const users = groupBy(claimed, ({ userId }) => userId);
  return Object.fromEntries(
    [...users].map(([userId, keys]) => [
      userId,
      Object.fromEntries(
        keys.map(({ deviceId, key }): [string, NamedKeys] => [deviceId, Object.fromEntries([key])]),
      ),
    ]),
  );
}
