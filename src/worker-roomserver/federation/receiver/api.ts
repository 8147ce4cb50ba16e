import type { Mail } from "../../relay/api.ts";
import type { PduResults, TakeEdu } from "../api.ts";
import type { KnownRoom } from "../known-rooms.ts";
import type { RoomPolicies } from "../policy/api.ts";

/**
 * The end of an invite or knock of a room that this server is not in: a leave or a ban of one of its users, which another
 * server has sent as a PDU. Called with the event's text, of which nothing has been checked.
 * @returns whether it was such an end, and is known as that now
 */
export type TakeRescinded = (origin: string, text: string) => Promise<boolean>;

/** What others do with what comes. */
export type ReceiverTakers = {
  takeEdu: TakeEdu;
  rescinded: TakeRescinded;
  /** Whether somebody from here is joined to a room that is known. It is asked for each event. */
  isInRoom: (room: KnownRoom) => Promise<boolean>;
  /** Resolves when no join of the room is under way: what comes of it meanwhile is not of a room that is not known. */
  joined: (roomId: string) => Promise<void>;
  isAllowed: RoomPolicies["isAllowed"];
};

/** Takes in what other servers have sent, which is in the inbox. */
export interface Receiver {
  /** Goes on with what waits, and takes in what comes from then on. */
  start(): Promise<void>;
  close(): void;
  /**
   * Takes in a transaction that has just come, whose signature has been checked. It is on the disk when this resolves.
   * @param withinMs - how long it is waited for what becomes of its PDUs, in milliseconds
   * @returns undefined if that is not known by then. The same transaction again is told the same.
   * @throws MatrixError M_UNKNOWN 507 when there is no room for it
   */
  deliver(mail: Mail, withinMs: number): Promise<PduResults | undefined>;
}
