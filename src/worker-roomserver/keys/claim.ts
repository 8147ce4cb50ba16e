import type { RecordAnswer } from "../node/answers.ts";
import type { RequestId } from "../node/requester.ts";
import type { ClaimAnswer, NamedKeys, WantedKeys } from "./api.ts";
import { groupBy } from "./group.ts";
import { tellClaimed } from "./list-changes.ts";
import type { Claimed } from "./one-time-keys.ts";
import type { KeyParts } from "./parts.ts";
import { patience, split } from "./query.ts";

type ClaimedFrom = Claimed & { userId: string; deviceId: string };

/**
 * Other servers are asked first: nobody here is held while they answer.
 * @see Keys.claim
 */
export function claim(
  parts: KeyParts,
  request: RequestId,
  wanted: WantedKeys,
  timeoutMs?: number,
): Promise<ClaimAnswer> {
  return parts.answers.once<ClaimAnswer>(request, async (record) => {
    const { local, elsewhere } = split(parts.serverName, wanted);
    const isNothing = Object.keys(elsewhere).length === 0;
    const others = isNothing ? nothing : await parts.remote.claim(elsewhere, patience(timeoutMs));
    return claimHere(parts, local, others, record);
  });
}

/** @see KeysForServers.claimLocal */
export function claimLocal(parts: KeyParts, request: RequestId, wanted: WantedKeys): Promise<ClaimAnswer> {
  return parts.answers.once<ClaimAnswer>(request, (record) =>
    claimHere(parts, split(parts.serverName, wanted).local, nothing, record),
  );
}

const nothing: ClaimAnswer = { one_time_keys: {}, failures: {} };

/**
 * Nobody else looks at the keys of these users until it is on the disk which of them are given out; so whoever dies
 * when has at most taken keys that nobody gets.
 * @param others - what is in the answer already
 */
function claimHere(
  parts: KeyParts,
  wanted: WantedKeys,
  others: ClaimAnswer,
  record: RecordAnswer,
): Promise<ClaimAnswer> {
  const { storage, users } = parts;
  const userIds = Object.keys(wanted);
  return users.holding(userIds, async () => {
    const asked = Object.entries(wanted).flatMap(([userId, devices]) =>
      Object.entries(devices).map(([deviceId, algorithm]) => ({ userId, deviceId, algorithm })),
    );
    const claimed = (await Promise.all(asked.map((each) => next(parts, each)))).filter(
      (found) => found !== undefined,
    );
    const answer = { ...others, one_time_keys: { ...byUser(claimed), ...others.one_time_keys } };
    if (Object.keys(answer.one_time_keys).length === 0) return answer;
    const nids = new Map(
      await Promise.all(userIds.map(async (userId) => [userId, await storage.names.intern(userId)] as const)),
    );
    return storage.commit((write) => {
      for (const { userId, deviceId, take } of claimed) {
        take(write);
        tellClaimed(write, nids.get(userId)!, deviceId);
      }
      return record(write, answer);
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
