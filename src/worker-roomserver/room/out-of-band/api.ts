import type { JsonObject } from "../../../matrix/json.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import type { Membership } from "../../storage/schema.ts";
import type { StoredEvent } from "../api.ts";

/**
 * A member event of a user of this server in a room that nobody from here is in, so that it cannot be judged: an invite
 * that came, or a knock that another server has taken. Its signatures have been checked, and it has this server's own.
 */
export type OutOfBandEvent = {
  roomVersion: string;
  event: ReceivedEvent;
  /**
   * What came with it to tell people which room that is, PDUs or stripped events as they came: what has no such form, or is
   * too much, is left out.
   */
  strippedState: readonly JsonObject[];
};

/** What a user of this server is in a room that nobody from here is in, by an event that came without the room. */
export type OutOfBandMembership = {
  /** `invite` and `knock` while it stands; `leave`, or `ban`, once it has ended. */
  membership: Membership;
  /** The version that it was said to have; "" once it has ended. */
  roomVersion: string;
  event: StoredEvent;
};

/**
 * Memberships without a room. They come out of `RoomForReaders` like all others, under a number of the room's id: sync,
 * push and application services need no other way. In `GET /sync` they have the stripped state that they came with. A
 * join (`RoomInput.takeInRoom`) puts what the room says in their place.
 */
export interface OutOfBandMemberships {
  /**
   * Whether somebody from here is joined to the room: what this server knows of it is then what it is, and its member
   * events go through `RoomInput`. From memory after the first call.
   */
  isInRoom(roomId: string): Promise<boolean>;

  /** Two records at most. @returns undefined where the user's membership is one that the room itself has told, or none */
  find(roomId: string, userId: string): Promise<OutOfBandMembership | undefined>;

  /**
   * Whether an invite may come to somebody.
   * @throws MatrixError M_NOT_FOUND (404) for who has no account here, M_INVITE_BLOCKED (403)
   */
  requireInvitable(userId: string): Promise<void>;

  /**
   * Stores an invite: it is durable when this resolves. It takes the place of an invite or a knock that came before. The
   * same event again changes nothing.
   * @returns whether it stands; false where somebody from here is in the room by now, or the user is
   * @throws MatrixError M_LIMIT_EXCEEDED (429) for a user who has very many that are unanswered; 507 when the disk is full
   */
  addInvite(invite: OutOfBandEvent): Promise<boolean>;

  /** The same for a knock that another server has taken for a user from here. */
  addKnock(knock: OutOfBandEvent): Promise<boolean>;

  /**
   * Ends an invite or a knock: the user has left, as sync tells their clients.
   * @param leave - the event, if another server has taken one; without it, one is made that this server alone knows
   * @returns whether there was anything to end
   */
  endOutOfBand(roomId: string, userId: string, leave?: ReceivedEvent): Promise<boolean>;

  /**
   * Whether an event of a room that nobody from here is in takes back an invite, or refuses a knock, that is known here;
   * if so that has ended when this resolves. As the room's power levels are not known, an invite can be taken back from
   * its sender's server alone; and the event must cite what it ends, the id of which servers in the room know.
   * @param event - of the room version that `find` says, its signatures checked
   */
  rescinded(event: ReceivedEvent): Promise<boolean>;
}
