import type { ReceivedEvent } from "../../../../src/matrix/received-event.ts";
import type { RoomVersionRules } from "../../../../src/matrix/room-versions.ts";
import type { StoredEvent } from "../../../../src/worker-roomserver/room/api.ts";
import type { InputVerdict } from "../../../../src/worker-roomserver/room/input/api.ts";
import type { RoomServer } from "../../../../src/worker-roomserver/room/room-server.ts";
import type { RefEvent, RefState } from "../../../reference/events.ts";
import { stateKey } from "../../../reference/events.ts";
import type { ReferenceRoom } from "../../../reference/room-model.ts";
import { stateText } from "../../../reference/room-text.ts";

export const received = ({ eventId, pdu }: RefEvent) =>
  ({ eventId, pdu, json: JSON.stringify(pdu) }) as ReceivedEvent;

/** All that can be said of a room, by event ids, so that two views of it can be compared. */
export type RoomView = {
  extremities: string[];
  currentState: string;
  timeline: string[];
  /** Users by their membership; who has left is out like anybody else. */
  users: Record<string, string[]>;
  events: Record<string, { outcome: string; before: string; after: string; redactedBy: string }>;
};

/** A room as a room server has it. */
export class HostedRoom {
  readonly #rooms: RoomServer;
  readonly #rules: RoomVersionRules;
  readonly #roomId: string;

  constructor(rooms: RoomServer, room: { rules: RoomVersionRules; roomId: string }) {
    this.#rooms = rooms;
    this.#rules = room.rules;
    this.#roomId = room.roomId;
  }

  /** The first event is the create event, which begins the room. */
  async receive(events: readonly RefEvent[]): Promise<InputVerdict[]> {
    const [first] = events;
    if (first === undefined) return [];
    if (first.pdu.type === "m.room.create" && (await this.#rooms.nid(this.#roomId)) === undefined) {
      const begun = await this.#rooms.input.takeInRoom({
        version: this.#rules.id,
        event: received(first),
        state: [],
        authChain: [],
      });
      return [begun, ...(await this.receive(events.slice(1)))];
    }
    return this.#rooms.input.receive(this.#roomId, events.map(received));
  }

  async view(events: readonly RefEvent[]): Promise<RoomView> {
    const room = (await this.#rooms.nid(this.#roomId))!;
    const { events: timeline } = await this.#rooms.timeline(room, { after: 0, upTo: 1e9, limit: 10_000 });
    const newest = timeline.at(-1)!;
    const extremities = await this.#rooms.events(newest.extremities);
    const view: RoomView = {
      extremities: extremities.map(({ eventId }) => eventId).sort(),
      currentState: await this.#state(newest.current),
      timeline: timeline.map(({ eventId }) => eventId),
      users: {},
      events: {},
    };
    for (const membership of present) {
      view.users[membership] = (await this.#rooms.usersIn(room, membership)).sort();
    }
    for (const { eventId } of events) {
      const event = await this.#rooms.eventById(eventId);
      if (event === undefined) continue;
      view.events[eventId] = {
        outcome: outcomeOf(event),
        before: await this.#state(event.stateBefore),
        after: await this.#state(event.stateAfter),
        redactedBy: event.redactedBy,
      };
    }
    return view;
  }

  async #state(snapshot: number): Promise<string> {
    const events = await this.#rooms.events(await this.#rooms.stateOf(snapshot));
    return stateText(asState(events));
  }
}

const present = ["join", "invite", "knock", "ban"] as const;

function asState(events: readonly StoredEvent[]): RefState {
  return new Map(events.map(({ eventId, pdu }) => [stateKey(pdu.type, pdu.state_key ?? ""), eventId]));
}

function outcomeOf({ status }: StoredEvent): string {
  return ["accepted", "rejected", "soft-failed"][status]!;
}

/** The same of the reference. */
export function referenceView(reference: ReferenceRoom): RoomView {
  const events: RoomView["events"] = {};
  for (const { eventId } of reference.events()) {
    events[eventId] = {
      outcome: reference.verdict(eventId).outcome,
      before: stateText(reference.stateBefore(eventId)),
      after: stateText(reference.stateAfter(eventId)),
      redactedBy: reference.redactedBy(eventId) ?? "",
    };
  }
  const members = [...reference.currentState().values()].map((id) => reference.event(id).pdu);
  const users = present.map((membership) => [
    membership,
    members
      .filter(({ type, content }) => type === "m.room.member" && content.membership === membership)
      .map(({ state_key: userId }) => userId)
      .sort(),
  ]);
  return {
    users: Object.fromEntries(users),
    extremities: [...reference.extremities()].sort(),
    currentState: stateText(reference.currentState()),
    timeline: reference.timeline(),
    events,
  };
}
