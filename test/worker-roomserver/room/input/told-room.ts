import type { ReceivedEvent } from "../../../../src/matrix/received-event.ts";
import type { StoredEvent } from "../../../../src/worker-roomserver/room/api.ts";
import type { InputVerdict, ReceiveOptions } from "../../../../src/worker-roomserver/room/input/api.ts";
import { eventsBackward } from "../../../../src/worker-roomserver/room/query/timeline.ts";
import { Story } from "../../../reference/story.ts";
import { type TestRooms, testRooms } from "../../support/room.ts";
import { logAfter } from "../../support/storage.ts";
import { received } from "./hosted-room.ts";

/** The same as in ReceiveOptions, with the names of events in place of their ids. */
export type Told = {
  as?: NonNullable<ReceiveOptions["as"]>;
  statesBefore?: { readonly [name: string]: readonly string[] };
  unobtainable?: readonly string[];
};

/** What every told room begins with, in order. */
export const opening = ["create", "alice", "levels", "public", "bob", "carol"];

/** A room that is told by hand, and a room server that hears of it, event by event. Everything goes by names. */
export class ToldRoom {
  readonly story: Story;
  readonly server: TestRooms;

  constructor(story: Story, server: TestRooms) {
    this.story = story;
    this.server = server;
  }

  /** @param called - whose server it is: `b.example` has bob for a user */
  static async of(version: string, called?: string): Promise<ToldRoom> {
    return new ToldRoom(new Story(version), await testRooms(undefined, called));
  }

  /** A room in which the server knows what every told room begins with. */
  static async open(version: string, called?: string): Promise<ToldRoom> {
    const room = await ToldRoom.of(version, called);
    await room.open();
    return room;
  }

  async open(): Promise<void> {
    await this.takeIn("create", [], []);
    await this.receive(opening.slice(1));
  }

  /** The same database, opened by the next leader. */
  async reopened(): Promise<ToldRoom> {
    const { storage, serverName } = this.server;
    await storage.flushed();
    return new ToldRoom(this.story, await testRooms(storage.name, serverName));
  }

  get roomId(): string {
    return this.story.rules.roomIdIsCreateHash
      ? `!${this.id("create").slice(1)}`
      : (this.story.event("create").pdu.room_id ?? "");
  }

  id(name: string): string {
    return this.story.event(name).eventId;
  }

  received(name: string): ReceivedEvent {
    return received(this.story.event(name));
  }

  async receive(names: readonly string[], told: Told = {}): Promise<InputVerdict[]> {
    const ids = (those: readonly string[]) => those.map((name) => this.id(name));
    const { as, statesBefore, unobtainable } = told;
    const states = Object.entries(statesBefore ?? {});
    return this.server.rooms.input.receive(
      this.roomId,
      names.map((name) => this.received(name)),
      {
        ...(as && { as }),
        ...(statesBefore && {
          statesBefore: Object.fromEntries(states.map(([name, state]) => [this.id(name), ids(state)])),
        }),
        ...(unobtainable && { unobtainable: ids(unobtainable) }),
      },
    );
  }

  /** What became of them, in the order given. */
  async outcomes(names: readonly string[], told: Told = {}): Promise<InputVerdict["outcome"][]> {
    return (await this.receive(names, told)).map(({ outcome }) => outcome);
  }

  /** The verdict on one event, with the names of what is missing. */
  async verdict(name: string, told: Told = {}): Promise<object> {
    const [verdict] = await this.receive([name], told);
    if (verdict?.outcome !== "missing") return verdict!;
    const called = (ids: readonly string[]) => ids.map((id) => this.story.nameOf(id) ?? id);
    return {
      outcome: "missing",
      authEvents: called(verdict.authEvents),
      prevEvents: called(verdict.prevEvents),
      stateEvents: called(verdict.stateEvents),
    };
  }

  takeIn(name: string, state: readonly string[], authChain: readonly string[]): Promise<InputVerdict> {
    const those = (names: readonly string[]) => names.map((other) => this.received(other));
    return this.server.rooms.input.takeInRoom({
      version: this.story.rules.id,
      event: this.received(name),
      state: those(state),
      authChain: those(authChain),
    });
  }

  /** The room's number; it has to be known. */
  async nid(): Promise<number> {
    return (await this.server.rooms.nid(this.roomId))!;
  }

  async stored(name: string): Promise<StoredEvent | undefined> {
    return this.server.rooms.eventById(this.id(name));
  }

  /** All of the timeline, oldest first, gaps or not. */
  async events(): Promise<StoredEvent[]> {
    const { storage, parts } = this.server;
    await storage.settled();
    const found = await eventsBackward(parts, await this.nid(), {
      from: Number.POSITIVE_INFINITY,
      count: 10_000,
    });
    return found.reverse();
  }

  async timeline(): Promise<string[]> {
    return (await this.events()).map(({ eventId }) => this.story.nameOf(eventId) ?? eventId);
  }

  /** The part of the timeline that comes after what every told room begins with. */
  async told(): Promise<string[]> {
    return (await this.timeline()).filter((name) => !opening.includes(name));
  }

  async extremities(): Promise<string[]> {
    const newest = (await this.events()).at(-1)!;
    const events = await this.server.rooms.events(newest.extremities);
    return events.map(({ eventId }) => this.story.nameOf(eventId) ?? eventId).sort();
  }

  /** The name of what stands in the current state. */
  async entry(type: string, key = ""): Promise<string | undefined> {
    const newest = (await this.events()).at(-1)!;
    return this.entryIn(newest.current, type, key);
  }

  async entryIn(snapshot: number, type: string, key = ""): Promise<string | undefined> {
    const nid = await this.server.rooms.stateEntry(snapshot, type, key);
    if (nid === undefined) return undefined;
    const [event] = await this.server.rooms.events([nid]);
    return this.story.nameOf(event!.eventId) ?? event!.eventId;
  }

  /** The entries of the log after a position: topic and the event's name. */
  async log(after = 0): Promise<string[]> {
    const entries = await logAfter(this.server.storage, after);
    return Promise.all(
      entries.map(async ({ topic, event }) => {
        const [about] = event === 0 ? [] : await this.server.rooms.events([event]);
        return `${topic} ${about === undefined ? "-" : (this.story.nameOf(about.eventId) ?? about.eventId)}`;
      }),
    );
  }
}
