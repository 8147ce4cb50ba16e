import { parseServerName } from "../../../../src/matrix/identifiers.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import type { MembershipAction } from "../../../../src/worker-roomserver/room/api.ts";
import type { Nid } from "../../../../src/worker-roomserver/storage/schema.ts";
import type { Sync, SyncQuery } from "../../../../src/worker-roomserver/sync/api.ts";
import { IgnoredUsers } from "../../../../src/worker-roomserver/sync/ignored-users.ts";
import { openSync } from "../../../../src/worker-roomserver/sync/sync.ts";
import { openToDevice } from "../../../../src/worker-roomserver/to-device/open.ts";
import { json, type TestRooms, testRooms } from "../../support/room.ts";
import {
  AccountDataDouble,
  KeysDouble,
  PresenceDouble,
  PushDouble,
  ReceiptsDouble,
  TypingDouble,
} from "./doubles.ts";

export type SyncEvent = {
  type: string;
  event_id: string;
  sender: string;
  state_key?: string;
  content: JsonObject;
  unsigned: JsonObject;
};
type Events<E = SyncEvent> = { events: E[] };
type Timeline = Events & { limited: boolean; prev_batch: string };
export type JoinedRoom = {
  summary?: JsonObject;
  state?: Events;
  state_after?: Events;
  "org.matrix.msc4222.state_after"?: Events;
  timeline: Timeline;
  ephemeral: Events<JsonObject>;
  account_data: Events<JsonObject>;
  unread_notifications: JsonObject;
  unread_thread_notifications?: JsonObject;
};
export type LeftRoom = Pick<JoinedRoom, "state" | "state_after" | "timeline" | "account_data">;
export type SyncAnswer = {
  next_batch: string;
  rooms: {
    join: Record<string, JoinedRoom>;
    invite: Record<string, { invite_state: Events }>;
    knock: Record<string, { knock_state: Events }>;
    leave: Record<string, LeftRoom>;
  };
  account_data: Events<JsonObject>;
  presence: Events<JsonObject>;
  to_device: Events<JsonObject>;
  device_lists: { changed: string[]; left: string[] };
  device_one_time_keys_count: Record<string, number>;
  device_unused_fallback_key_types: string[];
};

/** What a test says of a query; `filter` as an object. */
export type Query = Partial<Omit<SyncQuery, "filter">> & { filter?: JsonObject; device?: string };

export type TestSync = TestRooms & {
  sync: Sync;
  accountData: AccountDataDouble;
  typing: TypingDouble;
  receipts: ReceiptsDouble;
  presence: PresenceDouble;
  push: PushDouble;
  toDevice: ReturnType<typeof openToDevice>;
  keys: KeysDouble;
  id: (who: string) => string;
  poll: (who: string, query?: Query, name?: string) => Promise<SyncAnswer>;
  create: (who: string, body?: object) => Promise<string>;
  say: (who: string, roomId: string, body: string, txnId?: string) => Promise<string>;
  setState: (who: string, roomId: string, type: string, content: JsonObject, key?: string) => Promise<string>;
  act: (who: string, action: MembershipAction, roomId: string, target?: string) => Promise<void>;
  nid: (roomId: string) => Promise<Nid>;
};

/**
 * Sync over a real room server, with doubles for the components that have less to say.
 * @param name - the database of an earlier one
 * @param serverName - where it is to be a certain one
 */
export async function testSync(name?: string, serverName?: string): Promise<TestSync> {
  const t = await testRooms(name, serverName);
  const { storage, rooms, user } = t;
  const accountData = new AccountDataDouble(storage);
  const readers = {
    accountData,
    ignoredUsers: new IgnoredUsers(storage, accountData),
    typing: new TypingDouble(storage),
    receipts: new ReceiptsDouble(storage),
    presence: new PresenceDouble(storage),
    push: new PushDouble(),
    toDevice: openToDevice({
      storage,
      transactions: t.parts.transactions,
      // Everybody has the device that they are by default, and another.
      users: { deviceIds: async (userId) => ["D", "E"].map((device) => `${localpart(userId)}-${device}`) },
      serverName: parseServerName(t.serverName),
      now: Date.now,
    }),
    keys: new KeysDouble(storage),
  };
  const sync = openSync({ storage, room: rooms, ...readers });
  const id = (who: string) => user(who).userId;
  const defaults = { fullState: false, setPresence: "offline", timeout: 0, stateSection: "state" } as const;
  return {
    ...t,
    ...readers,
    sync,
    id,
    poll: async (who, { device, filter, ...query } = {}, name = crypto.randomUUID()) => {
      const asked = { ...defaults, ...query, ...(filter && { filter: JSON.stringify(filter) }) };
      return json(await sync.sync(user(who, device), asked, name)) as unknown as SyncAnswer;
    },
    create: async (who, body = {}) => {
      // The id of a room is a hash of its creation: two of the same millisecond have to differ in something.
      const creation_content = { "org.example.unique": crypto.randomUUID() };
      const room = { preset: "public_chat" as const, creation_content, ...body };
      return (await rooms.createRoom(t.request(), user(who), room)).room_id;
    },
    say: async (who, roomId, body, txnId = crypto.randomUUID()) => {
      const content = { msgtype: "m.text", body };
      return (await rooms.sendEvent(user(who), { roomId, type: "m.room.message", txnId, content })).event_id;
    },
    setState: async (who, roomId, type, content, stateKey = "") =>
      (await rooms.setState(t.request(), user(who), { roomId, type, stateKey, content })).event_id,
    act: async (who, action, roomId, target = who) => {
      await rooms.changeMembership(t.request(), user(who), { roomId, action, target: id(target) });
    },
    nid: async (roomId) => {
      const nid = await rooms.nid(roomId);
      if (nid === undefined) throw new Error(`${roomId} is not known`);
      return nid;
    },
  };
}

const localpart = (userId: string) => userId.slice(1, userId.indexOf(":"));

/** What was said in a timeline. */
export const texts = (timeline: Events) =>
  timeline.events.filter((event) => event.type === "m.room.message").map((event) => event.content.body);

/** `type` or `type|key` of each state event, sorted. */
export const keys = (state: Events | undefined) =>
  state?.events.map((event) => (event.state_key ? `${event.type}|${event.state_key}` : event.type)).sort();

/** For a timeline of that many events. */
export const limit = (number: number): JsonObject => ({ room: { timeline: { limit: number } } });
