import type { SyncAnswer, SyncEvent } from "./sync.ts";

export type RoomAnswer = {
  initial?: boolean;
  unstable_expanded_timeline?: boolean;
  membership: string;
  bump_stamp: number;
  name?: string | null;
  avatar?: string | null;
  heroes?: { user_id: string; displayname?: string; avatar_url?: string }[];
  is_dm?: boolean;
  joined_count?: number;
  invited_count?: number;
  required_state?: SyncEvent[];
  timeline?: SyncEvent[];
  invite_state?: SyncEvent[];
  prev_batch?: string;
  limited?: boolean;
  num_live?: number;
  notification_count: number;
  highlight_count: number;
};

export type SlidingAnswer = {
  pos: string;
  txn_id?: string;
  lists: Record<string, { count: number }>;
  rooms: Record<string, RoomAnswer>;
  extensions: {
    account_data?: { global: SyncEvent[]; rooms: Record<string, SyncEvent[]> };
    receipts?: { rooms: Record<string, SyncEvent> };
    typing?: { rooms: Record<string, SyncEvent> };
    to_device?: { next_batch: string; events: SyncEvent[] };
    e2ee?: Pick<
      SyncAnswer,
      "device_lists" | "device_one_time_keys_count" | "device_unused_fallback_key_types"
    >;
  };
};

type Room = {
  membership: string;
  name: string | undefined;
  joined: number | undefined;
  /** Event ids since the last gap. */
  timeline: string[];
  /** Type and state key to event id. */
  state: Map<string, string>;
};

/** What a client makes of the answers to its requests, as the proposal tells it to. */
export class SlidingClient {
  readonly rooms = new Map<string, Room>();
  pos: string | undefined;

  apply(answer: SlidingAnswer): void {
    this.pos = answer.pos;
    for (const [roomId, told] of Object.entries(answer.rooms)) this.#take(roomId, told);
  }

  #take(roomId: string, told: RoomAnswer): void {
    const known = told.initial === true ? undefined : this.rooms.get(roomId);
    if (told.initial !== true && known === undefined)
      throw new Error(`${roomId} is told of from its middle on`);
    const room: Room = known ?? {
      membership: "",
      name: undefined,
      joined: undefined,
      timeline: [],
      state: new Map(),
    };
    this.rooms.set(roomId, room);
    room.membership = told.membership;
    if (told.name !== undefined) room.name = told.name ?? undefined;
    if (told.joined_count !== undefined) room.joined = told.joined_count;
    // After a gap, or with older events than before, the timeline begins anew.
    if (told.limited === true || told.unstable_expanded_timeline === true) room.timeline = [];
    for (const event of told.timeline ?? []) room.timeline.push(event.event_id);
    for (const event of told.required_state ?? []) {
      room.state.set(`${event.type}|${event.state_key}`, event.event_id);
    }
  }
}
