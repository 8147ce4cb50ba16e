import { notFound, unknown } from "../../../matrix/errors.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { PublicRoomsQuery, ToldHierarchy } from "../api.ts";

/** A room's id, and servers through which it can be joined. */
export type ResolvedAlias = { room_id: string; servers: string[] };

/** Rooms that other servers are asked about, over federation. What they answer has been checked for its form. */
export interface RemoteQuestions {
  /**
   * @param alias - of another server
   * @throws MatrixError M_NOT_FOUND (404); M_UNKNOWN (502, 504) where the server cannot be reached
   */
  resolveAlias(alias: string): Promise<ResolvedAlias>;
  /** A page of another server's directory. @throws MatrixError M_UNKNOWN (502, 504); what the server refuses it with */
  publicRooms(server: string, query: PublicRoomsQuery): Promise<JsonObject>;
  /**
   * A room that is not known here, and those right below it. Fails never, and is given up after some seconds.
   * @param servers - that may know it, the likeliest first
   * @returns undefined where nobody tells of it
   */
  hierarchy(
    roomId: string,
    servers: readonly string[],
    suggestedOnly: boolean,
  ): Promise<ToldHierarchy | undefined>;
  /**
   * The event of a time, as others know it that are in the room. It is in the timeline here when this resolves. Fails
   * never, and is given up after some seconds.
   * @returns its id; undefined where nobody knows one, or none that can be had
   */
  eventNear(roomId: string, query: { ts: number; dir: "f" | "b" }): Promise<string | undefined>;
}

/** Of a room server alone. */
export const noRemoteQuestions: RemoteQuestions = {
  resolveAlias: async (alias) => {
    throw notFound(`There is no room with the alias ${alias}.`);
  },
  publicRooms: async () => {
    throw unknown("This homeserver is not connected to others.", 502);
  },
  hierarchy: async () => undefined,
  eventNear: async () => undefined,
};
