import type { UserId } from "../../matrix/identifiers.ts";

/** Who makes a request, as its access token says. Plain data: it crosses ports. */
export type Requester = {
  userId: UserId;
  /** The device that it came from. Absent for what has none: an application service that has named no device, and a page. */
  deviceId?: string;
  kind: "user" | "guest" | "appservice";
  admin: boolean;
  /** Hash of the token that it came with. Absent for what a page does for its user, and for what the server does itself. */
  session?: string;
  /** An administrator has suspended the account: it may read, and little else. Absent: not. */
  suspended?: boolean;
  /** The application service that acts as this user, with its `as_token`. */
  appService?: { id: string; isLimited: boolean };
};

/** One that has a device. */
export type DeviceRequester = Requester & { deviceId: string };

/**
 * Names one request of a client. A request that was under way when a leader died is sent to the next one under
 * the same name, and is then answered as it was the first time instead of being carried out again.
 */
export type RequestId = string;

/** A JSON text as UTF-8 bytes: crosses a port by transfer instead of as an object graph. */
export type JsonBytes = Uint8Array<ArrayBuffer>;
