import { notFound } from "../../../matrix/errors.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { Pdu } from "../../../matrix/pdu.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";

/** What a user of this server does in a room that only others can tell of. */
export type RemoteStep = {
  roomId: string;
  userId: string;
  /** Servers to ask, the likeliest first. What is no server's name and this server itself are left out. */
  servers: readonly string[];
  /** Content of the member event: profile, reason. Its `membership` is what is asked for. */
  content: JsonObject;
};

/** An event that a server in the room has taken, and what it has told of the room. */
export type RemoteTaken = {
  event: ReceivedEvent;
  roomVersion: string;
  /** Stripped state events, unchecked; none where the step has no such. */
  roomState: JsonObject[];
};

export type RemoteInvite = {
  roomVersion: string;
  /** The invite, hashed and signed by this server, and not yet in the room. */
  event: ReceivedEvent;
  /** State events of the room, as it has them: the create event, and what tells one room from another. */
  roomState: readonly Pdu[];
};

/**
 * What the room server cannot do alone: it is implemented where other servers are spoken to. Each step asks one server
 * after the other, at most ten, until one does it. When none does, the error is that of the server that tells most:
 * what refuses the user keeps its errcode and status; else M_UNKNOWN 502, or 504 where servers were too slow.
 * @see https://spec.matrix.org/v1.19/server-server-api/
 */
export interface RemoteRooms {
  /**
   * Joins the user, and takes in the room: it is stored when this resolves. Who calls sees to it that no room is joined
   * twice at a time. When this server dies in the middle, the other may have the user as joined, and nothing is stored
   * here: then it is done again.
   * @throws MatrixError M_UNSUPPORTED_ROOM_VERSION, M_INCOMPATIBLE_ROOM_VERSION (400); 507 when the disk is full
   */
  join(step: RemoteStep): Promise<void>;
  /** Nothing of it is stored. */
  knock(step: RemoteStep): Promise<RemoteTaken>;
  /** Leaves a room, takes back a knock or declines an invite. Nothing of it is stored. */
  leave(step: RemoteStep): Promise<RemoteTaken>;
  /**
   * Has the server of an invited user sign the invite, and tell the user.
   * @returns the event with both signatures, to be taken in
   */
  invite(invite: RemoteInvite): Promise<ReceivedEvent>;
  /**
   * Resolves when no join of the room is under way: what others send of it meanwhile can be taken in only then.
   */
  joined(roomId: string): Promise<void>;
}

const alone = async (): Promise<never> => {
  throw notFound("This server does not know the room, and has no way to others.");
};

/** For a server that speaks to no others. */
export const noRemoteRooms: RemoteRooms = {
  join: alone,
  knock: alone,
  leave: alone,
  invite: alone,
  joined: async () => undefined,
};
