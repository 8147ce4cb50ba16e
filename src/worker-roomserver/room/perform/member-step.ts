import type { UserId } from "../../../matrix/identifiers.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { MembershipAction } from "../api.ts";

/** What a client asks for. The room may be an alias for what takes a user in. */
export type MembershipChange = {
  roomId: string;
  action: MembershipAction;
  target: string;
  /** Servers that may be in the room. */
  servers?: readonly string[] | undefined;
  reason?: string | undefined;
  content?: JsonObject | undefined;
};

/** The same with the room's id, and all servers that are known to be of use. */
export type MemberStep = MembershipChange & { target: UserId; servers: readonly string[] };
