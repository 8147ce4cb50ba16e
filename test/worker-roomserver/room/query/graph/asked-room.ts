import type { ReceivedEvent } from "../../../../../src/matrix/received-event.ts";
import { EventStore } from "../../../../../src/worker-roomserver/room/event-store.ts";
import type { ReceiveOptions } from "../../../../../src/worker-roomserver/room/input/api.ts";
import { Memberships } from "../../../../../src/worker-roomserver/room/memberships.ts";
import type { RoomQueries } from "../../../../../src/worker-roomserver/room/query/graph/api.ts";
import { roomQueries } from "../../../../../src/worker-roomserver/room/query/graph/queries.ts";
import { RecentEvents } from "../../../../../src/worker-roomserver/room/recent-events.ts";
import { RoomHeads } from "../../../../../src/worker-roomserver/room/room-head.ts";
import { SnapshotStore } from "../../../../../src/worker-roomserver/room/snapshots.ts";
import { AuthGraphs } from "../../../../../src/worker-roomserver/room/state/auth-graphs.ts";
import type { Storage } from "../../../../../src/worker-roomserver/storage/api.ts";
import type { RefEvent } from "../../../../reference/events.ts";
import type { Story } from "../../../../reference/story.ts";
import { type TestRooms, testRooms } from "../../../support/room.ts";

const reads = ["get", "getAll", "getAllKeys", "fromIndex", "keysFromIndex", "storedKeys", "read"];

/** A storage that counts what is read from it. */
function counted(storage: Storage): { storage: Storage; count: () => number } {
  let count = 0;
  const counting = new Proxy(storage, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (reads.includes(String(name))) count += 1;
      return value.bind(target);
    },
  });
  return { storage: counting, count: () => count };
}

/** Puts questions to whoever has nothing in memory yet but what is on the disk, as after a restart. */
export async function asking(t: TestRooms): Promise<{ ask: RoomQueries; reads: () => number }> {
  await t.storage.flushed();
  const { storage, count } = counted(t.storage);
  const events = new EventStore(storage);
  const snapshots = new SnapshotStore(storage);
  const recent = new RecentEvents(storage, (nid) => events.known(nid));
  const ask = roomQueries({
    storage,
    events,
    recent,
    snapshots,
    memberships: new Memberships(storage),
    graphs: new AuthGraphs(storage),
    heads: new RoomHeads({ storage, events, recent, snapshots }),
    author: t.parts.author,
    now: t.parts.now,
    users: t.parts.users,
  });
  return { ask, reads: count };
}

export const received = ({ eventId, pdu }: RefEvent) =>
  ({ eventId, pdu, json: JSON.stringify(pdu) }) as ReceivedEvent;

/** Lets a room server take in events in their order; the create event begins the room. */
export async function takeIn(
  t: TestRooms,
  roomId: string,
  events: readonly RefEvent[],
  options?: ReceiveOptions,
): Promise<void> {
  for (const event of events) {
    if (event.pdu.type === "m.room.create") {
      const version = String(event.pdu.content.room_version);
      await t.rooms.input.takeInRoom({ version, event: received(event), state: [], authChain: [] });
    } else {
      await t.rooms.input.receive(roomId, [received(event)], options);
    }
  }
}

/** A story as a room server has it that has taken in all of it, or these events. */
export class AskedRoom {
  readonly t: TestRooms;
  readonly story: Story;

  private constructor(t: TestRooms, story: Story) {
    this.t = t;
    this.story = story;
  }

  static async of(story: Story, names: readonly string[] = story.names): Promise<AskedRoom> {
    const room = new AskedRoom(await testRooms(), story);
    await room.takeIn(names);
    return room;
  }

  get roomId(): string {
    return this.story.event("alice").pdu.room_id ?? "";
  }

  takeIn(names: readonly string[], options?: ReceiveOptions): Promise<void> {
    return takeIn(
      this.t,
      this.roomId,
      names.map((name) => this.story.event(name)),
      options,
    );
  }

  async ask(): Promise<RoomQueries> {
    return (await asking(this.t)).ask;
  }

  ids(...names: string[]): string[] {
    return names.map((name) => this.story.event(name).eventId);
  }

  id(name: string): string {
    return this.story.event(name).eventId;
  }

  names(events: readonly ({ eventId: string } | undefined)[]): (string | undefined)[] {
    return events.map((event) => this.story.nameOf(event?.eventId));
  }
}
