import { isJsonObject, type JsonObject } from "../../matrix/json.ts";
import type { Requester } from "../node/requester.ts";
import type { ClientEvent, EventsAround, RoomForReaders, StoredEvent } from "../room/api.ts";
import type { Names } from "../storage/api.ts";
import type { EventNid, Nid } from "../storage/schema.ts";
import { keyOf, textsOf } from "./documents.ts";
import { highlightsOf } from "./highlights.ts";
import { cursorToken, type Group, type GroupKey } from "./order.ts";
import type { Page, Result } from "./page.ts";
import type { Query } from "./query.ts";
import type { Reach } from "./scan.ts";

type Parts = { room: RoomForReaders; names: Names };
type Viewer = { requester: Requester; ignored: ReadonlySet<string> };

/** `search_categories.room_events` of an answer. */
export async function answerOf(
  parts: Parts,
  { requester, ignored }: Viewer,
  searchTerm: string,
  query: Query,
  page: Page,
  reaches: readonly Reach[],
): Promise<JsonObject> {
  const { results, last, found } = page;
  const { room } = parts;
  const around = await aroundEach(room, requester.userId, ignored, query, results);
  const shown = [
    ...results.map(({ event }) => event),
    ...around.flatMap((one) => (one === undefined ? [] : [...one.before, ...one.after])),
  ];
  const forms = await formsOf(room, requester, ignored, shown);
  const form = ({ nid }: StoredEvent) => forms.get(nid)!;
  const answers = await Promise.all(
    results.map(async ({ hit, event }, i) => {
      const one = around[i];
      return {
        rank: hit.rank,
        result: form(event),
        ...(one && {
          context: {
            start: one.start,
            end: one.end,
            events_before: one.before.map(form),
            events_after: one.after.map(form),
            ...(query.context?.withProfiles && { profile_info: await profilesAt(room, event, one) }),
          },
        }),
      };
    }),
  );
  const group = query.after?.group;
  return {
    count: Math.max(found.certain, results.length),
    highlights: highlightsOf(
      searchTerm,
      results.flatMap(({ event }) => shownTexts(event, form(event))),
    ),
    results: answers,
    ...(query.groupBy.size > 0 && { groups: await groupsOf(parts.names, query, page) }),
    ...(query.withState && { state: await statesOf(room, requester, query, results, reaches) }),
    ...(last && { next_batch: cursorToken({ ...last, group }) }),
  };
}

/** The texts of an event as it is shown: an edit's, if it has been edited. */
function shownTexts(event: StoredEvent, form: ClientEvent): string[] {
  const key = keyOf(event);
  if (key === undefined) return [];
  const relations = form.unsigned?.["m.relations"];
  const edit = isJsonObject(relations) ? relations["m.replace"] : undefined;
  const content =
    isJsonObject(edit) && isJsonObject(edit.content) ? edit.content["m.new_content"] : undefined;
  return textsOf(key, isJsonObject(content) ? content : event.pdu.content);
}

function aroundEach(
  room: RoomForReaders,
  userId: string,
  ignored: ReadonlySet<string>,
  { context }: Query,
  results: readonly Result[],
): Promise<(EventsAround | undefined)[]> {
  return Promise.all(results.map(({ event }) => context && room.around(event, { userId, ignored }, context)));
}

/** Events as the client gets them, each once, however often it is shown. */
async function formsOf(
  room: RoomForReaders,
  requester: Requester,
  ignored: ReadonlySet<string>,
  events: readonly StoredEvent[],
): Promise<Map<EventNid, ClientEvent>> {
  const distinct = [...new Map(events.map((event) => [event.nid, event])).values()];
  const forms = new Map<EventNid, ClientEvent>();
  for (const nid of new Set(distinct.map((event) => event.room))) {
    const inRoom = distinct.filter((event) => event.room === nid);
    const written = await room.clientEvents(inRoom, requester, { form: "full", ignored });
    inRoom.forEach((event, i) => {
      forms.set(event.nid, written[i]!);
    });
  }
  return forms;
}

/** The profiles of those who speak in a result's context, as they were then. */
async function profilesAt(
  room: RoomForReaders,
  event: StoredEvent,
  { before, after }: EventsAround,
): Promise<JsonObject> {
  const senders = [...new Set([event, ...before, ...after].map(({ pdu }) => pdu.sender))];
  const nids = await Promise.all(
    senders.map((sender) => room.stateEntry(event.stateBefore, "m.room.member", sender)),
  );
  const members = await room.events(nids.filter((nid) => nid !== undefined));
  return Object.fromEntries(
    members.map(({ pdu }) => {
      const { displayname, avatar_url } = pdu.content;
      return [
        pdu.state_key ?? "",
        {
          ...(typeof displayname === "string" && { displayname }),
          ...(typeof avatar_url === "string" && { avatar_url }),
        },
      ];
    }),
  );
}

/** The page's results by room or sender, each group with the token that goes on in it alone. */
async function groupsOf(names: Names, query: Query, { results, found }: Page): Promise<JsonObject> {
  const groups: JsonObject = {};
  for (const key of query.groupBy) {
    const groupOf = ({ hit }: Result): Nid => (key === "room_id" ? hit.room : hit.sender);
    const left = key === "room_id" ? found.left.rooms : found.left.senders;
    const values = [...new Set(results.map(groupOf))];
    const entries = values.map(async (value, i) => {
      const own = results.filter((result) => groupOf(result) === value);
      const isMore = (left.get(value) ?? 0) > own.length;
      const group = narrowed(query.after?.group, { key, value });
      return [
        await names.text(value),
        {
          order: i + 1,
          results: own.map(({ event }) => event.eventId),
          ...(isMore && group && { next_batch: cursorToken({ ...own.at(-1)!.hit, group }) }),
        },
      ] as const;
    });
    groups[key] = Object.fromEntries(await Promise.all(entries));
  }
  return groups;
}

/** A page of a group goes on in that group. Of what is a group within another there is no token. */
function narrowed(current: Group | undefined, next: { key: GroupKey; value: Nid }): Group | undefined {
  return current === undefined || current.key === next.key ? next : undefined;
}

/** The state of each room of the results as it is for the user: as it was when they left, if they have. */
async function statesOf(
  room: RoomForReaders,
  requester: Requester,
  { filter }: Query,
  results: readonly Result[],
  reaches: readonly Reach[],
): Promise<JsonObject> {
  const states: [string, ClientEvent[]][] = [];
  for (const nid of new Set(results.map(({ event }) => event.room))) {
    const inRoom = results.filter(({ event }) => event.room === nid).map(({ event }) => event);
    const end = reaches.find((reach) => reach.room === nid)?.end ?? Number.POSITIVE_INFINITY;
    const snapshot = await room.snapshotAt(nid, Math.min(end, Number.MAX_SAFE_INTEGER));
    const nids = await room.stateOf(snapshot, filter.lazy_load_members ? "others" : "all");
    if (filter.lazy_load_members) {
      for (const sender of new Set(inRoom.map(({ pdu }) => pdu.sender))) {
        const member = await room.stateEntry(snapshot, "m.room.member", sender);
        if (member !== undefined) nids.push(member);
      }
    }
    const events = await room.events(nids);
    states.push([inRoom[0]!.roomId, events.map((event) => room.clientEvent(event, requester, "full"))]);
  }
  return Object.fromEntries(states);
}
