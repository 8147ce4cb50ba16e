import { passesEventFilter } from "../../matrix/filters.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { Changes } from "./changes.ts";
import type { Readers } from "./readers.ts";
import type { SyncRequest } from "./request.ts";
import type { Span } from "./span.ts";
import type { UserRoom } from "./user-rooms.ts";

export type PresenceSection = {
  events: JsonObject[];
  /** Whether any of it is of somebody else: one's own presence alone is no reason to answer. */
  isNews: boolean;
};

/** The presence of those who share a room with the user: what changed, and all of it for those who are new to them. */
export async function presenceSection(
  readers: Readers,
  sync: SyncRequest,
  span: Span,
  about: {
    changes: Changes;
    rooms: readonly UserRoom[];
    sharing: ReadonlySet<string>;
    ignored: ReadonlySet<string>;
  },
): Promise<PresenceSection> {
  const { changes, rooms, sharing, ignored } = about;
  const { userId } = sync.requester;
  const newcomers = await newTo(readers, changes, rooms, sharing);
  const known = new Set(changes.presence ? [...sharing, userId].filter((user) => !newcomers.has(user)) : []);
  const found = await Promise.all([
    newcomers.size === 0 ? [] : readers.presence.changed(newcomers, 0, span.upTo),
    known.size === 0 ? [] : readers.presence.changed(known, span.since, span.upTo),
  ]);
  const events = found.flat().filter((event) => {
    const sender = event.sender as string;
    const seen = { type: "m.presence", sender, content: event.content as JsonObject };
    return !ignored.has(sender) && passesEventFilter(sync.filter.presence, seen);
  });
  return { events, isNews: events.some((event) => event.sender !== userId) };
}

async function newTo(
  { room, storage }: Readers,
  changes: Changes,
  rooms: readonly UserRoom[],
  sharing: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  if (changes.newcomers === undefined) return sharing;
  const entered = rooms.filter((each) => each.section === "join" && each.entered);
  const users = await Promise.all([
    Promise.all([...changes.newcomers].map((nid) => storage.names.text(nid))),
    ...entered.map((each) => room.usersIn(each.room, "join")),
  ]);
  return new Set(users.flat().filter((userId) => sharing.has(userId)));
}
