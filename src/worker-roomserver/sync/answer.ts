import { passesAllRooms, passesEventFilter, passesRoomLists } from "../../matrix/filters.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { AccountDataEvent } from "../account-data/api.ts";
import { jsonBytes } from "../node/json-bytes.ts";
import type { JsonBytes } from "../node/requester.ts";
import { syncToken } from "../node/tokens.ts";
import type { Position } from "../storage/schema.ts";
import { withoutBlockedInvites } from "./blocked-invites.ts";
import { type Changes, changesIn } from "./changes.ts";
import { type E2eeSection, e2eeSection } from "./e2ee-section.ts";
import { type Interest, nidsOf } from "./interest.ts";
import { joinedSection, roomAccountData } from "./joined-section.ts";
import { type PresenceSection, presenceSection } from "./presence-section.ts";
import type { Readers } from "./readers.ts";
import type { SyncRequest } from "./request.ts";
import { type HistoryRequest, roomHistory } from "./room-history.ts";
import { MESSAGES_AT_ONCE, type ToDeviceSection, toDeviceSection } from "./to-device-section.ts";
import { roomsOf, type UserRoom } from "./user-rooms.ts";

type RoomSections = Record<UserRoom["section"], JsonObject>;
const noRooms = (): RoomSections => ({ join: {}, invite: {}, knock: {}, leave: {} });

/** What the user gets of the log between two positions. */
export type Answer = {
  json: JsonObject;
  /** Whether it is worth ending a wait for. */
  isNews: boolean;
  /** Whether it says nothing at all, so that the next look may start where this one ended. */
  isEmpty: boolean;
  /** What to wait for if it is not. */
  interest: () => Promise<Interest>;
};

/** @param since - undefined for a client that knows nothing yet */
export async function buildAnswer(
  readers: Readers,
  sync: SyncRequest,
  { since, upTo }: { since: Position | undefined; upTo: Position },
): Promise<Answer> {
  if (since === upTo && !sync.fullState) return answerOfNoSpan(readers, sync, upTo);
  const { userId } = sync.requester;
  const lists = sync.filter.room;
  const [{ rooms, sharing, interest }, ignored] = await Promise.all([
    scopeOf(readers, sync, { since, upTo }),
    readers.ignoredUsers.of(userId, sync.user),
  ]);
  const span = { since: since ?? 0, upTo };
  const changes = since === undefined ? everything(interest) : await changesIn(readers, interest, span);
  const accountData = changes.accountData ? await readers.accountData.changed(userId, span.since, upTo) : [];
  const ofEntered = await accountDataOfEntered(readers, sync, rooms, since, upTo);
  const base = { ...span, incremental: since !== undefined, ignored };
  const [sections, presence, global, toDevice, e2ee] = await Promise.all([
    roomSections(readers, sync, base, rooms, changes, [...accountData, ...ofEntered]),
    presenceSection(readers, sync, span, { changes, rooms, sharing, ignored }),
    globalAccountData(readers, sync, accountData, since === undefined),
    toDeviceSection(readers.toDevice, sync.requester, messagesFor(sync, changes, upTo)),
    e2eeSection(readers, sync.requester, since === undefined ? undefined : span, {
      // A filter may hide rooms, but not from the keys of their members.
      changes: passesAllRooms(lists) ? changes : { ...changes, membersOf: undefined },
      sharing,
      startsAnew: sync.startsAnew,
    }),
  ]);
  const hasEvents = global.length > 0 || presence.isNews || toDevice.events.length > 0 || hasRooms(sections);
  const isNews = hasEvents || e2ee.isNews;
  return {
    json: assemble(upTo, sections, presence, global, toDevice, e2ee),
    isNews,
    isEmpty: !isNews && presence.events.length === 0,
    interest: () => Promise.resolve(interest),
  };
}

/**
 * Nothing lies between the two positions, as for most clients most of the time: no room has to be looked at, only what
 * has been waiting for the device, and how many keys it has.
 */
async function answerOfNoSpan(readers: Readers, sync: SyncRequest, upTo: Position): Promise<Answer> {
  const span = { since: upTo, upTo };
  const sharing: ReadonlySet<string> = new Set();
  const [toDevice, e2ee] = await Promise.all([
    toDeviceSection(readers.toDevice, sync.requester, messagesFor(sync, nothing, upTo)),
    e2eeSection(readers, sync.requester, span, { changes: nothing, sharing, startsAnew: false }),
  ]);
  const isNews = toDevice.events.length > 0;
  return {
    json: assemble(upTo, noRooms(), { events: [], isNews: false }, [], toDevice, e2ee),
    isNews,
    isEmpty: !isNews,
    interest: async () => (await scopeOf(readers, sync, span)).interest,
  };
}

/** The user's rooms within a span, with whom they share them, and what there is to wait for. */
async function scopeOf(
  readers: Readers,
  sync: SyncRequest,
  span: { since: Position | undefined; upTo: Position },
): Promise<{ rooms: UserRoom[]; sharing: ReadonlySet<string>; interest: Interest }> {
  const { userId } = sync.requester;
  const lists = sync.filter.room;
  const [all, sharing] = await Promise.all([
    roomsOf(readers.room, {
      ...span,
      userId,
      includeLeave: lists.include_leave === true,
      wants: (roomId) => passesRoomLists(lists, roomId),
    }),
    readers.room.sharingUsers(userId),
  ]);
  const rooms = await withoutBlockedInvites(readers, userId, all, ({ section }) => section === "invite");
  return { rooms, sharing, interest: await interestOf(readers, sync, rooms, sharing) };
}

/** The one place where an answer becomes bytes. */
export function toBytes(answer: Answer): JsonBytes {
  return jsonBytes(answer.json);
}

function assemble(
  upTo: Position,
  sections: RoomSections,
  presence: PresenceSection,
  accountData: JsonObject[],
  toDevice: ToDeviceSection,
  e2ee: E2eeSection,
): JsonObject {
  return {
    next_batch: syncToken({ position: upTo, toDevice: toDevice.upTo }),
    account_data: { events: accountData },
    presence: { events: presence.events },
    rooms: sections,
    to_device: { events: toDevice.events },
    ...e2ee.json,
  };
}

/** The disk is not asked for what the log would have told of. */
function messagesFor({ toDevice }: SyncRequest, changes: Changes, upTo: Position) {
  const mayHave = toDevice.isBehind || changes.toDevice;
  return { after: mayHave ? toDevice.after : upTo, upTo, limit: MESSAGES_AT_ONCE };
}

async function interestOf(
  { storage }: Readers,
  { user, requester: { deviceId } }: SyncRequest,
  rooms: readonly UserRoom[],
  sharing: ReadonlySet<string>,
): Promise<Interest> {
  return {
    user,
    deviceId,
    rooms: new Set(rooms.filter((room) => room.section === "join").map((room) => room.room)),
    sharing: await nidsOf(storage, sharing),
    presence: true,
  };
}

function everything({ rooms }: Interest): Changes {
  return {
    events: rooms,
    receipts: rooms,
    typing: rooms,
    accountData: true,
    presence: true,
    toDevice: true,
    newcomers: undefined,
    membersOf: undefined,
    deviceLists: true,
    claimed: false,
  };
}

const nothing: Changes = {
  events: new Set(),
  receipts: new Set(),
  typing: new Set(),
  accountData: false,
  presence: false,
  toDevice: false,
  newcomers: new Set(),
  membersOf: new Set(),
  deviceLists: false,
  claimed: false,
};

/** What the user set for a room before entering it (again) has not been sent for as long as they were not in it. */
async function accountDataOfEntered(
  { accountData }: Readers,
  sync: SyncRequest,
  rooms: readonly UserRoom[],
  since: Position | undefined,
  upTo: Position,
): Promise<AccountDataEvent[]> {
  if (since === undefined) return [];
  const entered = new Set(rooms.filter(isEntered).map((room) => room.roomId));
  if (entered.size === 0) return [];
  const before = await accountData.changed(sync.requester.userId, 0, Math.min(since, upTo));
  return before.filter((data) => data.roomId !== null && entered.has(data.roomId));
}

async function roomSections(
  readers: Readers,
  sync: SyncRequest,
  base: Omit<HistoryRequest, "room">,
  rooms: readonly UserRoom[],
  changes: Changes,
  accountData: readonly AccountDataEvent[],
): Promise<RoomSections> {
  const sections = noRooms();
  const concerned = rooms.filter((room) => mayHaveNews(sync, room, changes, accountData));
  const built = await Promise.all(
    concerned.map((room) => section(readers, sync, base, room, changes, dataByRoom(accountData, room))),
  );
  concerned.forEach((room, i) => {
    if (built[i] !== undefined) sections[room.section][room.roomId] = built[i];
  });
  return sections;
}

/** Most rooms have no part in most answers. */
function mayHaveNews(
  sync: SyncRequest,
  room: UserRoom,
  changes: Changes,
  accountData: readonly AccountDataEvent[],
): boolean {
  if (room.section !== "join" || room.entered || sync.fullState) return true;
  const { events, receipts, typing } = changes;
  return [events, receipts, typing].some((rooms) => rooms.has(room.room)) || accountData.length > 0;
}

async function section(
  readers: Readers,
  sync: SyncRequest,
  base: Omit<HistoryRequest, "room">,
  room: UserRoom,
  changes: Changes,
  accountData: readonly AccountDataEvent[],
): Promise<JsonObject | undefined> {
  switch (room.section) {
    case "join": {
      const news = {
        events: room.entered || changes.events.has(room.room),
        receipts: room.entered || changes.receipts.has(room.room),
        typing: changes.typing.has(room.room),
        accountData,
      };
      return joinedSection(readers, sync, { ...base, room }, news);
    }
    case "leave": {
      const history = await roomHistory(readers.room, sync, { ...base, room, upTo: room.until });
      return { ...history.json, account_data: { events: roomAccountData(sync, room.roomId, accountData) } };
    }
    case "invite":
    case "knock": {
      const [member] = await readers.room.events([room.event]);
      if (member !== undefined && base.ignored.has(member.pdu.sender)) return undefined;
      const events = await readers.room.strippedState(room.room, sync.requester.userId);
      return { [`${room.section}_state`]: { events } };
    }
  }
}

/** The rules of push are account data that is always there, also before the user has changed any. */
async function globalAccountData(
  { push }: Readers,
  sync: SyncRequest,
  accountData: readonly AccountDataEvent[],
  isFirst: boolean,
): Promise<JsonObject[]> {
  const global = accountData.filter((data) => data.roomId === null);
  const others = global.filter((data) => data.type !== "m.push_rules");
  const events: JsonObject[] = others.map(({ type, content }) => ({ type, content }));
  if (isFirst || others.length < global.length) events.push(await push.rulesEvent(sync.requester.userId));
  return events.filter((event) =>
    passesEventFilter(sync.filter.account_data, {
      type: event.type as string,
      content: event.content as JsonObject,
    }),
  );
}

function isEntered(room: UserRoom): boolean {
  return room.section === "join" && room.entered;
}

function dataByRoom(accountData: readonly AccountDataEvent[], room: UserRoom): readonly AccountDataEvent[] {
  return accountData.filter((data) => data.roomId === room.roomId);
}

function hasRooms(sections: RoomSections): boolean {
  return Object.values(sections).some((rooms) => Object.keys(rooms).length > 0);
}
