import { notFound } from "../../matrix/errors.ts";
import type { JsonBytes } from "../node/requester.ts";
import type { Storage } from "../storage/api.ts";
import type { KeysOf } from "./api.ts";

/** Rows of keys that are read at once: some hundred KiB. */
const PAGE = 500;

/** The keys of a version, all or some; an array sorts after any string. */
export function rangeOfKeys(userId: string, version: number, { roomId, sessionId }: KeysOf): IDBKeyRange {
  if (roomId === undefined) return IDBKeyRange.bound([userId, version], [userId, version, []]);
  if (sessionId !== undefined) return IDBKeyRange.only([userId, version, roomId, sessionId]);
  return IDBKeyRange.bound([userId, version, roomId], [userId, version, roomId, []]);
}

/** How many keys there are in a range; none of them is read. */
export function countKeys(storage: Storage, range: IDBKeyRange): Promise<number> {
  return storage.read(["keyBackupSessions"], (tx) => tx.objectStore("keyBackupSessions").count(range));
}

/**
 * Keys as the client gets them. They are stored as JSON and come in the order of rooms, so that none is parsed.
 * @throws MatrixError M_NOT_FOUND 404 for one key that is not there
 */
export async function keysAsJson(
  storage: Storage,
  userId: string,
  version: number,
  which: KeysOf,
): Promise<JsonBytes> {
  const rooms = await sessionsByRoom(storage, rangeOfKeys(userId, version, which));
  if (which.roomId === undefined) {
    const texts = [...rooms].map(([roomId, sessions]) => `${JSON.stringify(roomId)}:${room(sessions)}`);
    return utf8.encode(`{"rooms":{${texts.join(",")}}}`);
  }
  const sessions = rooms.get(which.roomId) ?? new Map<string, string>();
  if (which.sessionId === undefined) return utf8.encode(room(sessions));
  const data = sessions.get(which.sessionId);
  if (data === undefined) throw notFound("The backup has no key of this session.");
  return utf8.encode(data);
}

const utf8 = new TextEncoder();

/** Data as JSON, by session. */
type Sessions = Map<string, string>;

function room(sessions: Sessions): string {
  const texts = [...sessions].map(([sessionId, data]) => `${JSON.stringify(sessionId)}:${data}`);
  return `{"sessions":{${texts.join(",")}}}`;
}

/** Read in one transaction, so that what changes meanwhile is in none of the pages. */
function sessionsByRoom(storage: Storage, range: IDBKeyRange): Promise<Map<string, Sessions>> {
  const rooms = new Map<string, Sessions>();
  return storage.read(["keyBackupSessions"], async (tx) => {
    const store = tx.objectStore("keyBackupSessions");
    let next: IDBKeyRange | undefined = range;
    while (next !== undefined) {
      const keys: SessionKey[] = await store.getAllKeys(next, PAGE);
      const rows: string[] = await store.getAll(next, PAGE);
      for (const [i, [, , roomId, sessionId]] of keys.entries()) {
        const sessions = rooms.get(roomId) ?? new Map<string, string>();
        rooms.set(roomId, sessions.set(sessionId, rows[i]!));
      }
      next = after(keys, range);
    }
    return rooms;
  });
}

type SessionKey = [string, number, string, string];

/** What is left of a range after a page. */
function after(keys: readonly SessionKey[], range: IDBKeyRange): IDBKeyRange | undefined {
  const last = keys.at(-1);
  if (last === undefined || keys.length < PAGE) return undefined;
  return IDBKeyRange.bound(last, range.upper, true);
}
