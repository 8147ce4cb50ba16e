import { type KeyChange, keyChangeToDetail } from "../log/key-changes.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { Nid, Position } from "../storage/schema.ts";

/** In the place of who is told of a change. */
const EVERYBODY = 0;
/** Users who are named. A client that has been away for so long looks at all it knows. */
const MOST_NAMED = 10_000;

/** Tells all who share rooms with the user that their devices or keys have changed. */
export function tellAll(write: Write, user: Nid, change: KeyChange & { what: "device" | "signing" }): void {
  const p = write.append({ topic: "deviceList", user, detail: keyChangeToDetail(change) });
  write.put("deviceListChanges", { v: EVERYBODY, u: user, p });
}

/** Tells a user, and nobody else, that they see other keys or signatures of these users than before. */
export function tellOwn(write: Write, viewer: Nid, about: readonly Nid[]): void {
  const p = write.append({ topic: "deviceList", user: viewer, detail: keyChangeToDetail({ what: "own" }) });
  for (const u of about) write.put("deviceListChanges", { v: viewer, u, p });
}

/** Tells a device that some of its keys have been claimed. */
export function tellClaimed(write: Write, user: Nid, deviceId: string): void {
  write.append({ topic: "deviceList", user, detail: keyChangeToDetail({ what: "claimed", deviceId }) });
}

/** What the user was told of others goes with their account. */
export function forgetTold(write: Write, viewer: Nid): void {
  write.delete("deviceListChanges", IDBKeyRange.bound([viewer], [viewer, []]));
}

/** @see KeysForReaders.changedLists */
export async function changedLists(
  storage: Storage,
  userId: string,
  after: Position,
): Promise<Set<string> | undefined> {
  const viewer = await storage.names.find(userId);
  const found = await Promise.all(
    [EVERYBODY, ...(viewer === undefined ? [] : [viewer])].map((v) => {
      const range = IDBKeyRange.bound([v, after], [v, []], true);
      return storage.fromIndex("deviceListChanges", "position", range, MOST_NAMED + 1);
    }),
  );
  const users = new Set(found.flat().map(({ u }) => u));
  if (users.size > MOST_NAMED) return undefined;
  return new Set(await Promise.all([...users].map((u) => storage.names.text(u))));
}

/** Where the log stood when others last had to look anew at a user's devices; 0 for never. One row. */
export async function lastChange(storage: Storage, userId: string): Promise<Position> {
  const user = await storage.names.find(userId);
  if (user === undefined) return 0;
  return (await storage.get("deviceListChanges", [EVERYBODY, user]))?.p ?? 0;
}
