import { domainOf } from "../../../matrix/domain.ts";
import { badJson, MatrixError, notFound } from "../../../matrix/errors.ts";
import { authEventIds } from "../../../matrix/event-format.ts";
import { isUserId } from "../../../matrix/identifiers.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import { shownStrippedState } from "../../../matrix/stripped-state.ts";
import type { Membership, Nid } from "../../storage/schema.ts";
import type { MembershipInfo, StoredEvent } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import { requireTakesInvites } from "../perform/invite-permission.ts";
import { inRoom } from "../purge/in-room.ts";
import { aboutRoom, readAbout } from "./about-room.ts";
import type { OutOfBandEvent, OutOfBandMembership, OutOfBandMemberships } from "./api.ts";
import { loneLeave } from "./lone-leave.ts";

/** Of one user, unanswered: more than anybody looks through. Each may take as much room as two events. */
const MOST_WAITING = 1_000;

type Place = { userId: string; user: Nid; room: Nid; info: MembershipInfo | undefined };

/** @see OutOfBandMemberships */
export class OutOfBand implements OutOfBandMemberships {
  readonly #parts: RoomParts;
  readonly #mostWaiting: number;

  constructor(parts: RoomParts, mostWaiting = MOST_WAITING) {
    this.#parts = parts;
    this.#mostWaiting = mostWaiting;
  }

  async isInRoom(roomId: string): Promise<boolean> {
    const { storage, memberships, author } = this.#parts;
    const room = await storage.names.find(roomId);
    if (room === undefined) return false;
    for (const userId of await memberships.joined(room)) {
      if (domainOf(userId) === author.serverName) return true;
    }
    return false;
  }

  async find(roomId: string, userId: string): Promise<OutOfBandMembership | undefined> {
    const { storage, memberships, events } = this.#parts;
    const room = await storage.names.find(roomId);
    const info = room === undefined ? undefined : (await memberships.of(userId)).get(room);
    if (info?.outOfBand !== true) return undefined;
    const [about, event] = await Promise.all([
      readAbout(storage, userId, info.room),
      events.present([info.event]),
    ]);
    if (about === undefined || event[0] === undefined) return undefined;
    return { membership: info.membership, roomVersion: about.version, event: event[0] };
  }

  async requireInvitable(userId: string): Promise<void> {
    const { users } = this.#parts;
    await users.findAccount(userId);
    if (!(await users.isLocalAccount(userId))) throw notFound("There is no such user on this homeserver.");
    await requireTakesInvites(this.#parts, userId);
  }

  addInvite(invite: OutOfBandEvent): Promise<boolean> {
    return this.#add(invite, "invite");
  }

  addKnock(knock: OutOfBandEvent): Promise<boolean> {
    return this.#add(knock, "knock");
  }

  endOutOfBand(roomId: string, userId: string, leave?: ReceivedEvent): Promise<boolean> {
    return this.#end(roomId, userId, async (waiting) => leave ?? this.#loneLeave(waiting));
  }

  rescinded(event: ReceivedEvent): Promise<boolean> {
    const { type, state_key: userId, room_id: roomId, content, sender } = event.pdu;
    const isEnd = content.membership === "leave" || content.membership === "ban";
    if (type !== "m.room.member" || userId === undefined || roomId === undefined || !isEnd) {
      return Promise.resolve(false);
    }
    return this.#end(roomId, userId, async ({ membership, event: waiting }) => {
      const isTheirs = membership !== "invite" || domainOf(sender) === domainOf(waiting.pdu.sender);
      return isTheirs && authEventIds(event.pdu).includes(waiting.eventId) ? event : undefined;
    });
  }

  async #add(
    { event, roomVersion, strippedState }: OutOfBandEvent,
    membership: "invite" | "knock",
  ): Promise<boolean> {
    const { room_id: roomId, state_key: userId } = event.pdu;
    if (roomId === undefined || !isUserId(userId) || event.pdu.content.membership !== membership) {
      throw badJson(`This is no ${membership} to a room.`);
    }
    const state = shownStrippedState(strippedState, event.pdu.sender);
    const about = aboutRoom({ version: roomVersion, state });
    return inRoom(this.#parts, roomId, async (basis) => {
      if (await this.isInRoom(roomId)) return false;
      const place = await this.#place(roomId, userId);
      const former = place.info?.outOfBand && (await this.#parts.events.present([place.info.event]))[0];
      if (former?.eventId === event.eventId) return true;
      if (!isWaiting(place.info)) await this.#requireRoomForOneMore(userId);
      await this.#write(event, { ...place, roomId, membership, about, basis });
      return true;
    });
  }

  /** @param by - the event that ends it; undefined where it does not end */
  #end(
    roomId: string,
    userId: string,
    by: (waiting: OutOfBandMembership) => Promise<ReceivedEvent | undefined>,
  ): Promise<boolean> {
    return inRoom(this.#parts, roomId, async (basis) => {
      const waiting = await this.find(roomId, userId);
      if (waiting?.membership !== "invite" && waiting?.membership !== "knock") return false;
      const event = await by(waiting);
      if (event === undefined) return false;
      const membership = event.pdu.content.membership === "ban" ? "ban" : "leave";
      const place = await this.#place(roomId, userId);
      await this.#write(event, { ...place, roomId, membership, about: "", basis });
      return true;
    });
  }

  async #place(roomId: string, userId: string): Promise<Place> {
    const { storage, memberships } = this.#parts;
    const [room, user] = await Promise.all([storage.names.intern(roomId), storage.names.intern(userId)]);
    return { userId, user, room, info: (await memberships.of(userId)).get(room) };
  }

  async #requireRoomForOneMore(userId: string): Promise<void> {
    let waiting = 0;
    for (const info of (await this.#parts.memberships.of(userId)).values()) if (isWaiting(info)) waiting += 1;
    if (waiting >= this.#mostWaiting) {
      throw new MatrixError("M_LIMIT_EXCEEDED", 429, "The user has more invites than they can look through.");
    }
  }

  #loneLeave({ event, roomVersion }: OutOfBandMembership): Promise<ReceivedEvent> {
    const { author, now } = this.#parts;
    return loneLeave({ roomVersion, waiting: event.pdu, author, now: now() });
  }

  /** In the room's lock; durable when it resolves. */
  async #write(
    { eventId, pdu, json }: ReceivedEvent,
    to: Place & { roomId: string; membership: Membership; about: string; basis: number },
  ): Promise<void> {
    const { storage, events, memberships } = this.#parts;
    const { userId, user, room, roomId, membership, about, basis } = to;
    const nid = storage.newEvent();
    const durable = storage.commit(
      (write) => {
        const position = write.append({ topic: "room", room, user, event: nid });
        const stored: StoredEvent = {
          ...{ nid, eventId, pdu, room, roomId, order: position, isOutlier: true, isOutOfBand: true },
          ...{ stateBefore: 0, stateAfter: 0, current: 0, extremities: [], afterGap: false },
          ...{ status: 0, reason: "", redactedBy: "", replaces: 0, sentBy: null },
        };
        events.insert(write, stored, json);
        const info = { room, roomId, membership, event: nid, since: position, forgotten: false };
        memberships.set(write, userId, user, { ...info, outOfBand: true }, about);
      },
      { basis },
    );
    try {
      await durable;
    } catch (error) {
      events.settled([nid], false);
      throw error;
    }
    events.settled([nid], true);
  }
}

const isWaiting = (info: MembershipInfo | undefined) =>
  info?.outOfBand === true && (info.membership === "invite" || info.membership === "knock");
