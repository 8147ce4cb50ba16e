import { onTestFinished } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { RoomServer } from "../../../src/worker-roomserver/room/room-server.ts";
import type { RoomEventsCriteria } from "../../../src/worker-roomserver/search/api.ts";
import { RoomSearch } from "../../../src/worker-roomserver/search/search.ts";
import { said } from "../support/open-parts.ts";
import { relating, type TestParts, testParts } from "../support/room-parts.ts";

type Event = JsonObject & { event_id: string; room_id: string; content: JsonObject; unsigned: JsonObject };

export type RoomEvents = {
  count: number;
  highlights: string[];
  results: {
    rank: number;
    result: Event;
    context?: {
      start: string;
      end: string;
      events_before: Event[];
      events_after: Event[];
      profile_info?: JsonObject;
    };
  }[];
  groups?: { [key: string]: { [value: string]: { order: number; results: string[]; next_batch?: string } } };
  state?: { [roomId: string]: Event[] };
  next_batch?: string;
};

export type Searching = {
  parts: TestParts;
  room: RoomServer;
  search: RoomSearch;
  /** Whom everybody ignores, as localparts. */
  ignored: Set<string>;
  ask: (
    who: string,
    term: string,
    criteria?: Omit<RoomEventsCriteria, "search_term">,
    nextBatch?: string,
  ) => Promise<RoomEvents>;
  /** The event ids of all pages, in their order. */
  all: (who: string, term: string, criteria?: Omit<RoomEventsCriteria, "search_term">) => Promise<string[]>;
  say: (roomId: string, who: string, body: string) => Promise<string>;
  edit: (roomId: string, who: string, eventId: string, body: string) => Promise<string>;
  /** The next leader over what is on the disk. */
  reopen: () => Promise<Searching>;
};

/** Search over a room server, with a database of its own or, by name, one that is there already. */
export async function searching(name?: string): Promise<Searching> {
  const parts = await testParts(name);
  const room = new RoomServer(parts, { onActivity: () => undefined, ignoredBy: async () => new Set() });
  const ignored = new Set<string>();
  const ignoredBy = async () => new Set([...ignored].map((localpart) => parts.user(localpart).userId));
  const search = new RoomSearch({ storage: parts.storage, room, ignoredBy });
  onTestFinished(() => search.close());
  const ask: Searching["ask"] = async (who, term, criteria = {}, nextBatch = undefined) => {
    const bytes = await search.roomEvents(parts.user(who), { search_term: term, ...criteria }, nextBatch);
    return said<{ search_categories: { room_events: RoomEvents } }>(bytes).search_categories.room_events;
  };
  return {
    parts,
    room,
    search,
    ignored,
    ask,
    all: async (who, term, criteria) => {
      const ids: string[] = [];
      for (let next: string | undefined, page = 0; page < 100; page++) {
        const answer = await ask(who, term, criteria, next);
        ids.push(...answer.results.map(({ result }) => result.event_id));
        next = answer.next_batch;
        if (next === undefined) return ids;
      }
      throw new Error("the pages never end");
    },
    say: (roomId, who, body) => parts.send(roomId, who, { msgtype: "m.text", body }),
    edit: (roomId, who, eventId, body) =>
      parts.send(
        roomId,
        who,
        relating("m.replace", eventId, {
          msgtype: "m.text",
          body: `* ${body}`,
          "m.new_content": { msgtype: "m.text", body },
        }),
      ),
    reopen: async () => {
      search.close();
      parts.storage.close();
      const next = await searching(parts.storage.name);
      next.parts.clock.now = parts.clock.now;
      return next;
    },
  };
}
