import type { JsonObject } from "../../../matrix/json.ts";
import { jsonBytes } from "../../node/json-bytes.ts";
import type { JsonBytes, Requester } from "../../node/requester.ts";
import type { Membership, Nid, Position } from "../../storage/schema.ts";
import { withoutBlockedInvites } from "../blocked-invites.ts";
import { type Changes, changesIn } from "../changes.ts";
import type { End } from "../ends.ts";
import { noFilter } from "../filter-source.ts";
import { type Interest, nidsOf } from "../interest.ts";
import type { Notifier } from "../notifier.ts";
import { newestPosition, type Readers } from "../readers.ts";
import { type Serialisers, serialiser } from "../serialiser.ts";
import type { SlidingSyncQuery } from "./api.ts";
import { Connections, type SentRoom, type Told } from "./connection.ts";
import { extensionsOf, type MatchedRoom } from "./extensions.ts";
import { filterRooms } from "./list-filters.ts";
import { type Match, matchRooms } from "./match.ts";
import { RoomFactsCache } from "./room-facts.ts";
import { type ListedRoom, listRooms } from "./room-list.ts";
import { type RoomResult, roomResult } from "./room-result.ts";
import { UserDataCache } from "./user-data.ts";

export type SlidingSyncParts = {
  readers: Readers;
  notifier: Notifier;
};

/** One request, as all looks at the log need to know it. */
type Asked = Serialisers & { requester: Requester; user: Nid; query: SlidingSyncQuery };

type Look = {
  lists: JsonObject;
  rooms: JsonObject;
  extensions: JsonObject;
  told: Told;
  isNews: boolean;
  interest: Interest;
};

const DEFAULT_CONNECTION = "";

/** Simplified sliding sync: the same readers, waits and parts of answers as `/sync`, of a window of the rooms. */
export class SlidingSyncServer {
  readonly #parts: SlidingSyncParts;
  readonly #connections = new Connections();
  readonly #facts: RoomFactsCache;
  readonly #userData: UserDataCache;

  constructor(parts: SlidingSyncParts) {
    this.#parts = parts;
    const { storage, room, accountData } = parts.readers;
    this.#facts = new RoomFactsCache(storage, room);
    this.#userData = new UserDataCache(storage, accountData);
  }

  /** @param end - of the wait: its client may go, or ask again */
  async sync(requester: Requester, query: SlidingSyncQuery, end: End): Promise<JsonBytes> {
    const { readers, notifier } = this.#parts;
    const connection = query.conn_id ?? DEFAULT_CONNECTION;
    const told = this.#connections.begin(requester, connection, query.pos, end.come);
    if (told === undefined) end.come(); // who knows nothing is not kept waiting
    const asked = await this.#asked(requester, query);
    const stopped = readers.presence.syncing(requester.userId, query.setPresence);
    try {
      for (;;) {
        const ended = end.hasCome;
        const upTo = await newestPosition(readers);
        const look = await this.#look(asked, told, upTo);
        if (look === undefined) continue;
        if (look.isNews || ended) {
          const pos = this.#connections.answered(requester, connection, query.pos, look.told);
          return answer(query, pos, look);
        }
        await notifier.wait(look.interest, upTo, end.promise);
      }
    } finally {
      stopped();
    }
  }

  async #asked(requester: Requester, query: SlidingSyncQuery): Promise<Asked> {
    const { storage, room } = this.#parts.readers;
    const user = await storage.names.intern(requester.userId);
    return { requester, user, query, ...serialiser(room, requester, noFilter) };
  }

  /** Undefined if a room has been removed while it was read: without it there is nothing in the way. */
  async #look(asked: Asked, told: Told | undefined, upTo: Position): Promise<Look | undefined> {
    try {
      return await this.#build(asked, told, upTo);
    } catch (error) {
      if (this.#parts.notifier.lastPurge > upTo) return undefined;
      throw error;
    }
  }

  async #build(asked: Asked, told: Told | undefined, upTo: Position): Promise<Look> {
    const { readers } = this.#parts;
    const { requester, user, query } = asked;
    const { userId } = requester;
    const sentRooms = told?.rooms ?? new Map<Nid, SentRoom>();
    const since = told?.upTo ?? 0;
    const isKnown = (room: Nid) => isPresent(sentRooms.get(room)?.membership);
    const [all, data, ignored, sharing] = await Promise.all([
      listRooms(readers.room, this.#facts, { userId, upTo, isKnown }),
      this.#userData.of(userId, user),
      readers.ignoredUsers.of(userId, user),
      query.extensions?.e2ee?.enabled === true ? readers.room.sharingUsers(userId) : new Set<string>(),
    ]);
    const isInvite = ({ membership }: ListedRoom) => membership === "invite";
    const listed = await withoutBlockedInvites(readers, userId, all, isInvite);
    const nids = await nidsOf(readers.storage, sharing);
    const interest = interestOf(asked, listed, nids);
    const changes = told === undefined ? undefined : await changesIn(readers, interest, { since, upTo });
    const sources = { rooms: readers.room, facts: this.#facts, data };
    const matches = await matchRooms(query, listed, userId, (filters) =>
      filterRooms(sources, listed, filters),
    );

    const results = await Promise.all(
      matches.rooms.map(async (match) => {
        const result = await roomResult(readers, this.#facts, {
          ...asked,
          listed: match.listed,
          wanted: match.wanted,
          sent: sentRooms.get(match.listed.room),
          since,
          upTo,
          isDirect: data.direct.has(match.listed.roomId),
          ignored,
          hasNews: changes === undefined || hasNews(changes, match.listed, since),
        });
        return result === undefined ? undefined : { match, result };
      }),
    );
    const answered = results.filter((each) => each !== undefined);
    const extensions = await extensionsOf(readers, {
      requester,
      query,
      since: told?.upTo,
      upTo,
      changes,
      sharing,
      ignored,
      matched: answered.map(({ match, result }) =>
        matchedRoom(match, result, sentRooms.get(match.listed.room), since),
      ),
    });
    const rooms: JsonObject = {};
    for (const { match, result } of answered) {
      if (result.json !== undefined) rooms[match.listed.roomId] = result.json;
    }
    const now = new Map(sentRooms);
    if (changes !== undefined) leaveBehind(now, changes, since);
    for (const { match, result } of answered) now.set(match.listed.room, result.sent);
    return {
      lists: matches.lists,
      rooms,
      extensions: extensions.json,
      told: { upTo, rooms: now },
      isNews: Object.keys(rooms).length > 0 || extensions.isNews,
      interest,
    };
  }
}

function answer(query: SlidingSyncQuery, pos: string, look: Look): JsonBytes {
  return jsonBytes({
    pos,
    ...(query.txn_id !== undefined && { txn_id: query.txn_id }),
    lists: look.lists,
    rooms: look.rooms,
    extensions: look.extensions,
  });
}

/** Presence has no part in sliding sync. */
function interestOf(
  { user, requester: { deviceId } }: Asked,
  listed: readonly ListedRoom[],
  sharing: ReadonlySet<Nid>,
): Interest {
  const joined = listed.filter(({ membership }) => membership === "join");
  return { user, deviceId, rooms: new Set(joined.map(({ room }) => room)), sharing, presence: false };
}

const isPresent = (membership: Membership | undefined) =>
  membership === "join" || membership === "invite" || membership === "knock";

/** Whether the log has something of the room after `since`, as far as that is known. */
function hasNews(
  { events, receipts }: Changes,
  { room, since: changed }: ListedRoom,
  since: Position,
): boolean {
  return changed > since || events.has(room) || receipts.has(room);
}

/**
 * Rooms in which something has changed that the client is not told now, as no list has them: what they come with later
 * begins here.
 */
function leaveBehind(rooms: Map<Nid, SentRoom>, changes: Changes, since: Position): void {
  const { events, receipts, typing, accountData } = changes;
  for (const [room, sent] of rooms) {
    if (sent.upTo !== undefined) continue;
    // Of account data it is not known in which room it has changed.
    const changed = accountData || events.has(room) || receipts.has(room) || typing.has(room);
    if (changed) rooms.set(room, { ...sent, upTo: since });
  }
}

function matchedRoom(
  { listed, lists, isSubscribed }: Match,
  { json, isInitial }: RoomResult,
  sent: SentRoom | undefined,
  since: Position,
): MatchedRoom {
  const timeline = (json?.timeline ?? []) as { event_id: string }[];
  return {
    room: listed.room,
    roomId: listed.roomId,
    lists,
    isSubscribed,
    isInitial,
    since: sent?.upTo ?? since,
    timeline: new Set(timeline.map((event) => event.event_id)),
    joined: listed.membership === "join",
  };
}
