import { badJson } from "./errors.ts";
import { isRoomId, isUserId } from "./identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import { matchesWildcards } from "./wildcards.ts";

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3useruseridfilter_request_eventfilter */
export type EventFilter = {
  limit?: number;
  types?: string[];
  not_types?: string[];
  senders?: string[];
  not_senders?: string[];
};

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3useruseridfilter_request_roomeventfilter */
export type RoomEventFilter = EventFilter & {
  rooms?: string[];
  not_rooms?: string[];
  contains_url?: boolean;
  lazy_load_members?: boolean;
  include_redundant_members?: boolean;
  unread_thread_notifications?: boolean;
};

export type RoomFilter = {
  rooms?: string[];
  not_rooms?: string[];
  include_leave?: boolean;
  ephemeral: RoomEventFilter;
  state: RoomEventFilter;
  timeline: RoomEventFilter;
  account_data: RoomEventFilter;
};

/** A filter of `POST /user/{userId}/filter`. Parts that were not given are empty, and let everything through. */
export type Filter = {
  /** Dot-separated paths: see property-paths.ts. */
  event_fields?: string[];
  event_format: "client" | "federation";
  presence: EventFilter;
  account_data: EventFilter;
  room: RoomFilter;
};

/** What filters look at. Account data and ephemeral events have no sender. */
export type FilterableEvent = { type: string; sender?: string; content: JsonObject };

/**
 * Checks a filter's shape; unknown members are ignored.
 * @throws MatrixError M_BAD_JSON naming the member that is wrong
 */
export function parseFilter(json: unknown): Filter {
  const filter = object(json, "The filter");
  const room = object(filter.room ?? {}, "room");
  const format = filter.event_format ?? "client";
  if (format !== "client" && format !== "federation") {
    throw badJson('"event_format" in the filter must be "client" or "federation".');
  }
  return {
    ...strings(filter, "", "event_fields"),
    event_format: format,
    presence: parseEventFilter(filter.presence ?? {}, "presence"),
    account_data: parseEventFilter(filter.account_data ?? {}, "account_data"),
    room: {
      ...roomLists(room, "room."),
      ...boolean(room, "room.", "include_leave"),
      ephemeral: parseRoomEventFilter(room.ephemeral ?? {}, "room.ephemeral"),
      state: parseRoomEventFilter(room.state ?? {}, "room.state"),
      timeline: parseRoomEventFilter(room.timeline ?? {}, "room.timeline"),
      account_data: parseRoomEventFilter(room.account_data ?? {}, "room.account_data"),
    },
  };
}

/**
 * Checks the shape of a room event filter, as `GET /messages` and `GET /context` take it.
 * @param path - how to call it in an error
 * @throws MatrixError M_BAD_JSON
 */
export function parseRoomEventFilter(json: unknown, path = "filter"): RoomEventFilter {
  const filter = object(json, path);
  const at = `${path}.`;
  return {
    ...parseEventFilter(filter, path),
    ...roomLists(filter, at),
    ...boolean(filter, at, "contains_url"),
    ...boolean(filter, at, "lazy_load_members"),
    ...boolean(filter, at, "include_redundant_members"),
    ...boolean(filter, at, "unread_thread_notifications"),
  };
}

function parseEventFilter(json: JsonValue, path: string): EventFilter {
  const filter = object(json, path);
  const at = `${path}.`;
  return {
    ...limit(filter, at),
    ...strings(filter, at, "types"),
    ...strings(filter, at, "not_types"),
    ...ids(filter, at, "senders", isUserId, "user IDs"),
    ...ids(filter, at, "not_senders", isUserId, "user IDs"),
  };
}

/** Whether an event passes the filter. An event without a sender passes no list of `senders`. */
export function passesEventFilter(filter: EventFilter, event: FilterableEvent): boolean {
  const { types, not_types, senders, not_senders } = filter;
  if (not_types?.some((pattern) => matchesWildcards(pattern, event.type))) return false;
  if (types !== undefined && !types.some((pattern) => matchesWildcards(pattern, event.type))) return false;
  if (senders !== undefined && !(event.sender !== undefined && senders.includes(event.sender))) return false;
  return !(event.sender !== undefined && not_senders?.includes(event.sender));
}

/** Whether an event of the room passes the filter: its room, type, sender and `url`. */
export function passesRoomEventFilter(
  filter: RoomEventFilter,
  event: FilterableEvent,
  roomId: string,
): boolean {
  if (!passesRoomLists(filter, roomId) || !passesEventFilter(filter, event)) return false;
  return filter.contains_url === undefined || filter.contains_url === Object.hasOwn(event.content, "url");
}

/** Whether `rooms` and `not_rooms` let a room through; what is in both is left out. */
export function passesRoomLists(lists: { rooms?: string[]; not_rooms?: string[] }, roomId: string): boolean {
  return (lists.rooms?.includes(roomId) ?? true) && !lists.not_rooms?.includes(roomId);
}

/** Whether that is so for whatever room. */
export function passesAllRooms(lists: { rooms?: string[]; not_rooms?: string[] }): boolean {
  return lists.rooms === undefined && (lists.not_rooms ?? []).length === 0;
}

/** Those of the events that pass, in their order. */
export function filterEvents<E extends { roomId: string; pdu: FilterableEvent }>(
  filter: RoomEventFilter,
  events: readonly E[],
): E[] {
  return events.filter((event) => passesRoomEventFilter(filter, event.pdu, event.roomId));
}

/** Whether the filter lets nothing at all through, so that it is not worth looking. */
export function blocksEverything(filter: RoomEventFilter): boolean {
  const { types, not_types, senders, rooms } = filter;
  return (
    types?.length === 0 || senders?.length === 0 || rooms?.length === 0 || (not_types?.includes("*") ?? false)
  );
}

function object(json: unknown, path: string): JsonObject {
  if (!isJsonObject(json)) throw badJson(`${named(path)} must be an object.`);
  return json;
}

type Key<K extends string, T> = { [key in K]?: T };

function strings<K extends string>(from: JsonObject, at: string, key: K): Key<K, string[]> {
  const list = from[key];
  if (list === undefined) return {};
  if (!Array.isArray(list) || !list.every((item) => typeof item === "string")) {
    throw badJson(`${named(at + key)} must be a list of strings.`);
  }
  return { [key]: list } as Key<K, string[]>;
}

function ids<K extends string>(
  from: JsonObject,
  at: string,
  key: K,
  isId: (value: unknown) => boolean,
  what: string,
): Key<K, string[]> {
  const list = strings(from, at, key);
  if (list[key]?.every(isId) === false) throw badJson(`${named(at + key)} must be a list of ${what}.`);
  return list;
}

function roomLists(from: JsonObject, at: string): { rooms?: string[]; not_rooms?: string[] } {
  return {
    ...ids(from, at, "rooms", isRoomId, "room IDs"),
    ...ids(from, at, "not_rooms", isRoomId, "room IDs"),
  };
}

function boolean<K extends string>(from: JsonObject, at: string, key: K): Key<K, boolean> {
  const value = from[key];
  if (value === undefined) return {};
  if (typeof value !== "boolean") throw badJson(`${named(at + key)} must be true or false.`);
  return { [key]: value } as Key<K, boolean>;
}

/** The spec wants more than 0; 0 is taken as "none", which is what the clients that send it mean. */
function limit(from: JsonObject, at: string): { limit?: number } {
  const value = from.limit;
  if (value === undefined) return {};
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw badJson(`${named(`${at}limit`)} must be a whole number, not below 0.`);
  }
  return { limit: value };
}

function named(path: string): string {
  return path.startsWith("The ") ? path : `"${path}" in the filter`;
}
