import type { Method } from "../../../../src/door/path-router.ts";
import type { LinkResponse } from "../../../../src/link/api.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import type { SigningKey } from "../../../../src/matrix/signing.ts";
import type { PeerRoom } from "./peer-room.ts";

/** A request that a peer is asked. Its signature has been checked, but where the endpoint is for everybody. */
export type PeerRequest = {
  origin: string;
  params: Record<string, string>;
  query: URLSearchParams;
  body: JsonObject;
  /** The body as it came. */
  text: string;
  signal: AbortSignal;
};

/** JSON to be answered with 200, or the whole answer. What is thrown is answered as at any server. */
export type PeerAnswer = JsonObject | LinkResponse;
export type PeerHandler = (request: PeerRequest) => PeerAnswer | Promise<PeerAnswer>;
export type PeerEndpoint = { method: Method; path: string; open?: boolean; handle: PeerHandler };

/** A transaction that the peer was sent. */
export type PeerTransaction = { origin: string; transactionId: string; body: JsonObject; text: string };

/** What of a peer its endpoints answer from. */
export type PeerServer = {
  readonly serverName: string;
  readonly rooms: ReadonlyMap<string, PeerRoom>;
  readonly profiles: ReadonlyMap<string, JsonObject>;
  readonly vouches: ReadonlyMap<string, JsonObject>;
  readonly transactions: PeerTransaction[];
  readonly invites: { roomId: string; version: string; event: JsonObject; body: JsonObject }[];
  readonly keys: { current: SigningKey };
  keyDocument(): Promise<JsonObject>;
  room(roomId: string | undefined): PeerRoom;
};
