import type { JsonObject } from "../../../matrix/json.ts";
import { isReplaceable, isValidReplacement, latestReplacement } from "../../../matrix/replacements.ts";
import { relationOf } from "../../../matrix/threads.ts";
import type { EventNid } from "../../storage/schema.ts";
import type { ClientEvent, StoredEvent, Viewer } from "../api.ts";
import { clientEvent } from "../client-event.ts";
import type { RoomParts } from "../parts.ts";
import { type Child, type Children, childrenOf } from "./children.ts";

export type AggregationParts = Pick<
  RoomParts,
  "storage" | "events" | "visibility" | "relatedTargets" | "now"
>;

export type AggregationOptions = {
  /** Of the events that stand in the answer; the same as that of the events they are in. */
  form: "sync" | "full";
  /** Users whose events do not count. */
  ignored: ReadonlySet<string>;
};

/**
 * Children read as events: the newest of each kind, and of all the events of a call together. Beyond that a thread's
 * replies are counted, but not looked at.
 */
const MOST_EVENTS = 500;
const ALL_EVENTS = 10_000;
/** Of one event, however many are asked for. */
const LEAST_EVENTS = 20;

/**
 * What `unsigned["m.relations"]` of events says to a user, by event id: `m.replace`, `m.reference` and `m.thread`.
 * Events with nothing to say, and state events, are not in it. Only what the user may see counts. Of an event with
 * more than 5,000 relations the newest are looked at, and whether the user may see them only of the newest 500 of a kind.
 *
 * Costs one range of small rows for each event that something relates to, and the children as events: at most 10,000 of
 * all. Which ones these are is known from memory, but in rooms with more relations than fit (`RelatedTargets`).
 * @param events - of one room, which the user may see
 * @see https://spec.matrix.org/v1.19/client-server-api/#aggregations-of-child-events
 */
export async function aggregations(
  parts: AggregationParts,
  viewer: Viewer,
  events: readonly StoredEvent[],
  options: AggregationOptions,
): Promise<Map<string, JsonObject>> {
  const messages = events.filter(({ pdu }) => pdu.state_key === undefined);
  const parents = await parts.relatedTargets.among(messages);
  const children = await childrenOf(parts.storage, parents);
  const related = parents.filter(({ eventId }) => children.has(eventId));
  if (related.length === 0) return new Map();
  const most = Math.min(MOST_EVENTS, Math.max(LEAST_EVENTS, Math.floor(ALL_EVENTS / related.length)));
  const counting = new Map(
    related.map((parent) => [parent, countingOf(parent, children.get(parent.eventId)!, options.ignored)]),
  );
  const wanted = [...counting.values()].flatMap((kinds) =>
    Object.values(kinds).flatMap((kind) => kind.slice(0, most)),
  );
  const visible = await visibleChildren(parts, viewer.userId, wanted);
  const shown = (kind: readonly Child[]) => kind.slice(0, most).flatMap(({ nid }) => visible.get(nid) ?? []);

  const facts = new Map<string, Facts>();
  for (const [parent, { replacements, references, replies }] of counting) {
    const threaded = shown(replies);
    const isOwn = ({ sender }: { sender: string }) => sender === viewer.userId;
    facts.set(parent.eventId, {
      replacement: latestReplacement(shown(replacements).filter((each) => isValidReplacement(parent, each))),
      references: shown(references),
      thread: threaded[0] && {
        latest: threaded[0],
        count: threaded.length + Math.max(0, replies.length - most),
        // One's own are visible, however many came after them.
        hasParticipated: isOwn(parent.pdu) || replies.some(isOwn),
      },
    });
  }
  const latest = [...facts.values()].flatMap(({ thread }) => thread?.latest ?? []);
  // A reply is no thread's root, so this goes no deeper.
  const replies = latest.length === 0 ? new Map() : await aggregations(parts, viewer, latest, options);
  const inside = [...latest, ...[...facts.values()].flatMap(({ replacement }) => replacement ?? [])];
  const form = await formOf(parts, viewer, inside, replies, options);
  return new Map(
    [...facts]
      .map(([eventId, fact]) => [eventId, toJson(fact, form)] as const)
      .filter(([, json]) => hasAny(json)),
  );
}

/**
 * Events as a device gets them in a timeline, and wherever single ones are shown: the one place where `unsigned` is
 * filled in whole, with `membership` and `m.relations`. State beside a timeline goes without these two.
 *
 * Costs what `aggregations` and `membershipsAt` cost: nothing, where nothing relates to the events and the user has been
 * joined since before.
 * @param events - of one room, which the user may see
 * @see https://spec.matrix.org/v1.19/client-server-api/#room-event-format
 */
export async function presented(
  parts: AggregationParts,
  viewer: Viewer,
  events: readonly StoredEvent[],
  options: AggregationOptions,
): Promise<ClientEvent[]> {
  const relations = await aggregations(parts, viewer, events, options);
  return events.map(await formOf(parts, viewer, events, relations, options));
}

/** How each of the events is written, with what is summed up about it. */
export async function formOf(
  { visibility, now }: Pick<AggregationParts, "visibility" | "now">,
  viewer: Viewer,
  events: readonly StoredEvent[],
  relations: ReadonlyMap<string, JsonObject>,
  { form }: Pick<AggregationOptions, "form">,
): Promise<(event: StoredEvent) => ClientEvent> {
  const found = await visibility.membershipsAt(viewer.userId, events);
  const memberships = new Map(events.map(({ nid }, i) => [nid, found[i]]));
  return (event) =>
    clientEvent(event, viewer, form, now(), {
      membership: memberships.get(event.nid),
      relations: relations.get(event.eventId),
    });
}

type Facts = {
  replacement: StoredEvent | undefined;
  /** The newest first. */
  references: StoredEvent[];
  thread: { latest: StoredEvent; count: number; hasParticipated: boolean } | undefined;
};

/**
 * What relates to another event starts no thread.
 * @see https://spec.matrix.org/v1.19/client-server-api/#threading
 */
function isThreadRoot({ pdu }: StoredEvent): boolean {
  return relationOf(pdu.content) === undefined;
}

/** Of a redacted event no edit is shown. */
function mayShowReplacement(parent: StoredEvent): boolean {
  return parent.redactedBy === "" && isReplaceable(parent);
}

/** The children that count, if they may be seen. Only the sender can edit an event. */
function countingOf(
  parent: StoredEvent,
  { replacements, references, replies }: Children,
  ignored: ReadonlySet<string>,
): Children {
  const isHeard = ({ sender }: Child) => !ignored.has(sender);
  const isEditable = mayShowReplacement(parent) && !ignored.has(parent.pdu.sender);
  return {
    replacements: isEditable ? replacements.filter(({ sender }) => sender === parent.pdu.sender) : [],
    references: references.filter(isHeard),
    replies: isThreadRoot(parent) ? replies.filter(isHeard) : [],
  };
}

async function visibleChildren(
  parts: AggregationParts,
  userId: string,
  children: readonly Child[],
): Promise<Map<EventNid, StoredEvent>> {
  const events = await parts.events.get(children.map(({ nid }) => nid));
  const visible = await parts.visibility.visibleTo(userId, events);
  // One whose redaction is on its way to the disk is related no more.
  return new Map(visible.filter(({ redactedBy }) => redactedBy === "").map((event) => [event.nid, event]));
}

function toJson(
  { replacement, references, thread }: Facts,
  form: (event: StoredEvent) => ClientEvent,
): JsonObject {
  return {
    ...(replacement && { "m.replace": form(replacement) }),
    ...(references.length > 0 && {
      "m.reference": { chunk: references.map(({ eventId }) => ({ event_id: eventId })).reverse() },
    }),
    ...(thread && {
      "m.thread": {
        latest_event: form(thread.latest),
        count: thread.count,
        current_user_participated: thread.hasParticipated,
      },
    }),
  };
}

function hasAny(json: JsonObject): boolean {
  return Object.keys(json).length > 0;
}
