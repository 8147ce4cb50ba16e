import type { FederationOptions } from "../../context.ts";
import type { RoomServers } from "../room-servers.ts";

/** What EDUs of other servers have an effect on. */
export type IncomingParts = Pick<
  FederationOptions,
  "typing" | "receipts" | "presence" | "toDevice" | "roomQueries" | "now"
> & { servers: RoomServers; userKeys: UserKeysOfOthers };

/** What other servers say of their users' keys. Whoever calls has found out that the user is one of theirs. */
export interface UserKeysOfOthers {
  /** A device is new, has changed or is gone. */
  deviceUpdated(userId: string, update: DeviceUpdate): Promise<void>;
  /** The user has other cross-signing keys; an absent one is unchanged. */
  crossSigningUpdated(userId: string, keys: CrossSigningUpdate): Promise<void>;
}

export type DeviceUpdate = {
  deviceId: string;
  streamId: number;
  previous: readonly number[];
  /** What is left of the device, unchecked; `deleted`: nothing. */
  device: { keys: unknown; displayName: string } | "deleted";
};

export type CrossSigningUpdate = { master: unknown; selfSigning: unknown };

/** What an EDU says, if the server may say it; what is wrong with it is of no effect. */
export type TakeContent = (parts: IncomingParts, origin: string, content: unknown) => Promise<void>;
