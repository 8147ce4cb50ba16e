import type { JsonObject } from "../../../matrix/json.ts";
import type { AccountDataEvent } from "../../account-data/api.ts";
import type { Requester } from "../../node/requester.ts";
import type { Nid, Position } from "../../storage/schema.ts";
import type { Changes } from "../changes.ts";
import { type E2eeSection, e2eeSection } from "../e2ee-section.ts";
import { receiptEvents, typingEvent } from "../ephemeral.ts";
import type { Readers } from "../readers.ts";
import type { RoomsExtension, SlidingSyncQuery } from "./api.ts";
import { toDeviceOf } from "./to-device.ts";

/** A room that a list or a subscription of the request matches. */
export type MatchedRoom = {
  room: Nid;
  roomId: string;
  lists: readonly string[];
  isSubscribed: boolean;
  /** Whether the client is told of it from the start with this answer. */
  isInitial: boolean;
  /** Up to where the client had been told of it. */
  since: Position;
  /** Ids of the events of its timeline in this answer. */
  timeline: ReadonlySet<string>;
  joined: boolean;
};

export type ExtensionScope = {
  /** Users who share a room with the user; none where the devices of nobody are wanted. */
  sharing: ReadonlySet<string>;
  requester: Requester;
  query: SlidingSyncQuery;
  /** undefined for a connection that begins. */
  since: Position | undefined;
  upTo: Position;
  /** Since then; undefined for a connection that begins. */
  changes: Changes | undefined;
  matched: readonly MatchedRoom[];
  ignored: ReadonlySet<string>;
};

export type ExtensionsAnswer = { json: JsonObject; isNews: boolean };

/** Everything about rooms that is not events, and what is about no room. */
export async function extensionsOf(readers: Readers, scope: ExtensionScope): Promise<ExtensionsAnswer> {
  const {
    account_data: accountData,
    receipts,
    typing,
    to_device: toDevice,
    e2ee,
  } = scope.query.extensions ?? {};
  const { requester, since = 0, upTo, changes } = scope;
  const log = { upTo, changes: changes && { since, has: changes } };
  const [ofAccount, read, typed, sent, ofKeys] = await Promise.all([
    accountData?.enabled === true ? accountDataOf(readers, scope, accountData) : undefined,
    receipts?.enabled === true ? receiptsOf(readers, scope, receipts) : undefined,
    typing?.enabled === true ? typingOf(readers, scope, typing) : undefined,
    toDevice?.enabled === true ? toDeviceOf(readers, requester, toDevice, log) : undefined,
    e2ee?.enabled === true ? keysOf(readers, scope) : undefined,
  ]);
  const json: JsonObject = {};
  let isNews = false;
  if (ofAccount !== undefined) {
    json.account_data = ofAccount;
    isNews ||= ofAccount.global.length > 0 || Object.keys(ofAccount.rooms).length > 0;
  }
  if (sent !== undefined) {
    json.to_device = sent;
    isNews ||= sent.events.length > 0;
  }
  if (ofKeys !== undefined) {
    json.e2ee = ofKeys.json;
    isNews ||= ofKeys.isNews;
  }
  for (const [name, rooms] of Object.entries({ receipts: read, typing: typed })) {
    if (rooms === undefined || Object.keys(rooms).length === 0) continue;
    json[name] = { rooms };
    isNews = true;
  }
  return { json, isNews };
}

/** The rooms that an extension is wanted for. */
function roomsFor(matched: readonly MatchedRoom[], { lists, rooms }: RoomsExtension): MatchedRoom[] {
  const wants = (named: string[] | undefined, name: string) =>
    named === undefined || named.includes("*") || named.includes(name);
  return matched.filter(
    (room) =>
      room.lists.some((list) => wants(lists, list)) || (room.isSubscribed && wants(rooms, room.roomId)),
  );
}

async function accountDataOf(
  { accountData, push }: Readers,
  { requester, since, upTo, matched }: ExtensionScope,
  extension: RoomsExtension,
): Promise<{ global: JsonObject[]; rooms: { [roomId: string]: JsonObject[] } }> {
  const wanted = roomsFor(matched, extension);
  const from = Math.min(since ?? 0, ...wanted.map((room) => (room.isInitial ? 0 : room.since)));
  const changed = await accountData.changed(requester.userId, from, upTo);
  const fresh = changed.filter(({ roomId, position }) => roomId === null && position > (since ?? 0));
  const global = fresh.filter(({ type }) => type !== "m.push_rules").map(plain);
  if (since === undefined || global.length < fresh.length)
    global.push(await push.rulesEvent(requester.userId));
  const rooms: { [roomId: string]: JsonObject[] } = {};
  for (const room of wanted) {
    const events = changed.filter(
      ({ roomId, position }) => roomId === room.roomId && (room.isInitial || position > room.since),
    );
    if (events.length > 0) rooms[room.roomId] = events.map(plain);
  }
  return { global, rooms };
}

const plain = ({ type, content }: AccountDataEvent): JsonObject => ({ type, content });

/** A client whose connection begins does not know which devices it has missed, and looks at all it knows. */
function keysOf(
  readers: Readers,
  { requester, changes, sharing, since, upTo }: ExtensionScope,
): Promise<E2eeSection> {
  const nothing = { membersOf: undefined, deviceLists: false, claimed: false };
  const about = { changes: changes ?? nothing, sharing, startsAnew: false };
  return e2eeSection(readers, requester, since === undefined ? undefined : { since, upTo }, about);
}

/** Of a room that is new to the client, the receipts of what it sees of it, and its own. */
async function receiptsOf(
  { receipts }: Readers,
  { requester, upTo, matched, ignored }: ExtensionScope,
  extension: RoomsExtension,
): Promise<{ [roomId: string]: JsonObject }> {
  const rooms: { [roomId: string]: JsonObject } = {};
  const { userId } = requester;
  await Promise.all(
    roomsFor(matched, extension).map(async (room) => {
      if (!room.joined) return;
      const changed = await receipts.changed(room.room, userId, room.isInitial ? 0 : room.since, upTo);
      const shown = changed.filter(
        (receipt) =>
          receipt.type !== "m.fully_read" &&
          !ignored.has(receipt.userId) &&
          (!room.isInitial || receipt.userId === userId || room.timeline.has(receipt.eventId)),
      );
      // The format has room for one event; where one reader has several receipts of an event, the first of them counts.
      const [event] = receiptEvents(shown);
      if (event !== undefined) rooms[room.roomId] = event;
    }),
  );
  return rooms;
}

async function typingOf(
  { typing }: Readers,
  { since, upTo, matched, ignored }: ExtensionScope,
  extension: RoomsExtension,
): Promise<{ [roomId: string]: JsonObject }> {
  const wanted = roomsFor(matched, extension).filter((room) => room.joined);
  const known = wanted.filter((room) => !room.isInitial);
  const changed = new Set(
    since === undefined || known.length === 0
      ? []
      : await typing.changedRooms(
          known.map(({ room }) => room),
          Math.min(...known.map((room) => room.since)),
          upTo,
        ),
  );
  const rooms: { [roomId: string]: JsonObject } = {};
  for (const { room, roomId, isInitial } of wanted) {
    const typists = typing.typists(room).filter((userId) => !ignored.has(userId));
    if (changed.has(room) || (isInitial && typists.length > 0)) rooms[roomId] = typingEvent(typists);
  }
  return rooms;
}
