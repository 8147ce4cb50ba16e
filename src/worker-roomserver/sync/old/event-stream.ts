import { invalidParam } from "../../../matrix/errors.ts";
import { jsonBytes } from "../../node/json-bytes.ts";
import type { JsonBytes, Requester } from "../../node/requester.ts";
import { positionToken } from "../../node/tokens.ts";
import type { StoredEvent } from "../../room/api.ts";
import type { Nid, Position } from "../../storage/schema.ts";
import { type End, Ends } from "../ends.ts";
import type { IgnoredUsers } from "../ignored-users.ts";
import type { Interest } from "../interest.ts";
import { Notifier } from "../notifier.ts";
import { parseSince } from "../span.ts";
import type { EventsQuery } from "./api.ts";
import type { OldSyncParts } from "./parts.ts";

/** Entries of the log for one look: what comes after them is in the next answer. */
const LOOKED_AT = 500;

type Page = { events: StoredEvent[]; end: Position };

/** The events of rooms as the log has them, one after the other. */
export class EventStream {
  readonly #parts: OldSyncParts;
  readonly #notifier: Notifier;
  readonly #ignored: IgnoredUsers;
  readonly #ends = new Ends();

  constructor(parts: OldSyncParts) {
    this.#parts = parts;
    this.#notifier = new Notifier(parts.storage);
    this.#ignored = parts.ignoredUsers;
  }

  cancel(call: string): void {
    this.#ends.cancel(call);
  }

  async events(requester: Requester, query: EventsQuery, call: string): Promise<JsonBytes> {
    const end = this.#ends.open(call, query.timeout);
    try {
      return await this.#next(requester, query, end);
    } finally {
      end.clear();
    }
  }

  async #next(requester: Requester, query: EventsQuery, end: End): Promise<JsonBytes> {
    const { room, storage } = this.#parts;
    const user = await storage.names.intern(requester.userId);
    const peeked = query.roomId === undefined ? undefined : await room.readable(requester, query.roomId);
    const start = this.#start(query.from);
    for (let after = start; ; ) {
      const hasEnded = end.hasCome;
      const interest = await this.#interest(requester, user, peeked);
      const page = await this.#page(requester, interest, after);
      const isBehind = page.end < storage.position;
      if (page.events.length > 0 || (hasEnded && !isBehind)) {
        return jsonBytes({
          start: positionToken(start),
          end: positionToken(page.end),
          chunk: page.events.map((event) => room.clientEvent(event, requester, "full")),
        });
      }
      after = page.end;
      if (!isBehind) await this.#notifier.wait(interest, after, end.promise);
    }
  }

  #start(from: string | undefined): Position {
    const { position } = this.#parts.storage;
    if (from === undefined) return position;
    const start = parseSince(from, position);
    if (start === undefined) throw outdated();
    return start.position;
  }

  /** Asked for anew before each look: somebody may have come into a room, or gone. */
  async #interest(requester: Requester, user: Nid, peeked: Nid | undefined): Promise<Interest> {
    const common = { user, deviceId: requester.deviceId, sharing: new Set<Nid>(), presence: false };
    if (peeked !== undefined) return { ...common, rooms: new Set([peeked]) };
    const infos = await this.#parts.room.membershipsOf(requester.userId);
    const seen = infos.filter(({ membership }) => membership !== "invite" && membership !== "knock");
    return { ...common, rooms: new Set(seen.map(({ room }) => room)) };
  }

  async #page(requester: Requester, interest: Interest, after: Position): Promise<Page> {
    const { storage, room } = this.#parts;
    const entries = await storage.entriesAfter(after, LOOKED_AT);
    if (entries === undefined) throw outdated();
    const concerned = entries.filter(
      (entry) => entry.topic === "room" && (interest.rooms.has(entry.room) || entry.user === interest.user),
    );
    const found = await room.presentEvents(concerned.map(({ event }) => event));
    const events = found.filter((event, i): event is StoredEvent => event?.room === concerned[i]!.room);
    return {
      events: await this.#shown(requester, interest, events),
      end: entries.at(-1)?.position ?? after,
    };
  }

  async #shown(
    requester: Requester,
    { user, rooms }: Interest,
    events: StoredEvent[],
  ): Promise<StoredEvent[]> {
    const { userId } = requester;
    const ignored = await this.#ignored.of(userId, user);
    const shown = await Promise.all(
      [...new Set(events.map(({ room }) => room))].map(async (room) => {
        const ofRoom = events.filter((event) => event.room === room);
        const visible = rooms.has(room) ? await this.#parts.room.visibleTo(userId, ofRoom) : [];
        // An invite is for whom it is about, who may see nothing else of the room.
        const own = ofRoom.filter(({ pdu }) => pdu.type === "m.room.member" && pdu.state_key === userId);
        const nids = new Set(visible.map(({ nid }) => nid));
        return [...visible, ...own.filter(({ nid }) => !nids.has(nid))];
      }),
    );
    return shown
      .flat()
      .filter(
        ({ pdu }) => !ignored.has(pdu.sender) || (pdu.state_key !== undefined && pdu.state_key !== userId),
      )
      .sort((a, b) => a.order - b.order);
  }
}

const outdated = () => invalidParam('"from" is too old or was never given out: start with /initialSync.');
