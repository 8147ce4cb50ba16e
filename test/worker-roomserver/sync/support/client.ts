import type { JoinedRoom, LeftRoom, SyncAnswer, SyncEvent } from "./sync.ts";

type ClientRoom = {
  membership: "join" | "invite" | "knock" | "leave";
  /** Event ids since the last gap. */
  timeline: string[];
  /** Type and state key to event id. */
  state: Map<string, string>;
};

/** What a client makes of the answers to its syncs, as the spec tells it to. */
export class SyncClient {
  readonly rooms = new Map<string, ClientRoom>();
  since: string | undefined;

  apply(answer: SyncAnswer): void {
    this.since = answer.next_batch;
    const { join, invite, knock, leave } = answer.rooms;
    for (const [roomId, room] of Object.entries(join)) this.#take(roomId, room, "join");
    for (const [roomId, room] of Object.entries(leave)) this.#take(roomId, room, "leave");
    for (const roomId of Object.keys(invite)) this.#room(roomId).membership = "invite";
    for (const roomId of Object.keys(knock)) this.#room(roomId).membership = "knock";
  }

  #take(roomId: string, section: JoinedRoom | LeftRoom, membership: "join" | "leave"): void {
    const room = this.#room(roomId);
    room.membership = membership;
    const { timeline, state, state_after } = section;
    // After a gap, a client begins a new timeline.
    if (timeline.limited) room.timeline = [];
    for (const event of (state_after ?? state)?.events ?? []) setState(room, event);
    for (const event of timeline.events) {
      room.timeline.push(event.event_id);
      if (state_after === undefined) setState(room, event);
    }
  }

  #room(roomId: string): ClientRoom {
    const known = this.rooms.get(roomId);
    if (known !== undefined) return known;
    const room: ClientRoom = { membership: "leave", timeline: [], state: new Map() };
    this.rooms.set(roomId, room);
    return room;
  }
}

function setState(room: ClientRoom, event: SyncEvent): void {
  if (event.state_key !== undefined) room.state.set(`${event.type}|${event.state_key}`, event.event_id);
}
