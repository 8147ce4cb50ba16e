import type { JsonObject, JsonValue } from "../../matrix/json.ts";
import type { ReceivedEvent } from "../../matrix/received-event.ts";
import type { RoomVersionRules } from "../../matrix/room-versions.ts";
import type { PositionedEntry } from "../log/entry.ts";
import type { Write } from "../storage/api.ts";
import type { Position } from "../storage/schema.ts";

/** A request to another server, which the client signs. */
export type FederationRequest = {
  method: "GET" | "PUT" | "POST";
  /** The server name that is meant, whatever it is delegated to. */
  destination: string;
  /** Path and query, percent-encoded: `/_matrix/federation/v1/…`. */
  uri: string;
  content?: JsonObject | undefined;
  /** Milliseconds, to the end of the answer. By default 30 s. */
  timeoutMs?: number;
  /** Bytes of the answer. By default 10 MiB. */
  maxBytes?: number;
  /**
   * Whether to ask a server that is backed off from: `no` (the standard) fails at once with `backingOff`; `yes` for what
   * somebody waits for, such as a join.
   */
  evenBackedOff?: "yes" | "no";
};

/**
 * An answer of 2xx. The text is what the other server has sent: events in it are to be read from their own text.
 * `json` of more than a mebibyte is parsed when it is first asked for, which throws a FederationError (`invalid`) if it
 * cannot be: who needs only the text of a large answer does not pay for it.
 */
export type FederationAnswer = { status: number; text: string; readonly json: JsonValue };

/**
 * Why another server has not answered as wished. `answered`: with an error of its own, which is in `error`. `invalid`:
 * with what is no JSON. The others are as in EgressFailure; `backingOff`: it was not asked, as it failed before.
 */
export type FederationFailure =
  | "answered"
  | "invalid"
  | "refused"
  | "unreachable"
  | "timeout"
  | "tooLarge"
  | "backingOff";

/** Thrown by FederationClient, and by nothing else. */
export class FederationError extends Error {
  override readonly name = "FederationError";
  readonly failure: FederationFailure;
  readonly destination: string;
  /** Of `answered`: its status, and its body where that is an error of Matrix. */
  readonly status: number | undefined;
  readonly error: (JsonObject & { errcode: string }) | undefined;
  /** Nothing was found out about the other server: this one has no way out, or no room for the request. */
  readonly isOurs: boolean;

  constructor(
    failure: FederationFailure,
    destination: string,
    why: string,
    answered: { status?: number; error?: JsonObject & { errcode: string }; isOurs?: boolean } = {},
  ) {
    super(`${destination}: ${why}`);
    this.failure = failure;
    this.destination = destination;
    this.status = answered.status;
    this.error = answered.error;
    this.isOurs = answered.isOurs === true;
  }
}

/**
 * Signed requests to other servers, one attempt each. What a failure is good for, the caller knows. Of one server 8 are
 * under way at a time; others wait, for half of their time at most.
 */
export interface FederationClient {
  /**
   * Who asks the same (GET) while it is being asked has the same answer, which nobody changes therefore.
   * @throws FederationError
   */
  request(request: FederationRequest): Promise<FederationAnswer>;
  /**
   * The same for an answer that is not JSON, or too long to be held as one: media.
   * @throws FederationError, before the body; the body fails with an EgressFailure
   */
  stream(request: FederationRequest): Promise<{
    status: number;
    /** By names in lower case. */
    headers: Record<string, string>;
    body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  }>;
}

/** What has become of asking the servers around, which outlives restarts. */
export type DestinationState = {
  serverName: string;
  /** Requests that failed since one did not. */
  failures: number;
  /** Milliseconds since 1970; 0 where there is none. */
  failingSince: number;
  /** Not asked before that, unless something comes from there. 0: may be asked. */
  retryAt: number;
  lastSuccess: number;
  /** A sentence, "" where the last one went well. */
  lastError: string;
};

export interface Destinations {
  /** From memory after the first call. */
  state(serverName: string): Promise<DestinationState>;
  /** Whether it may be asked now. */
  isReady(serverName: string): Promise<boolean>;
  /** It has answered; a 4xx is an answer as well. */
  succeeded(serverName: string): void;
  /**
   * It has not. Counts once for all that was under way, and not at all if it has answered something else since.
   * @param askedAt - when it was asked, in milliseconds since 1970; by default now
   */
  failed(serverName: string, why: string, askedAt?: number): void;
  /**
   * Nothing was found out about it, for a reason on this side: it is ready with the next `wayIsOpen`, or at once where
   * there was one since.
   * @param askedAt - as in `failed`
   */
  notAsked(serverName: string, askedAt: number): void;
  /** There is a way out that there was not: those who could not be asked may be. No back-off ends by that. */
  wayIsOpen(): void;
  /** Something has come from it, so it is there: what waits for it is tried now. */
  heardFrom(serverName: string): void;
  /** The owner wants it tried now. */
  retryNow(serverName: string): void;
  /** Called when a server may be asked that could not be. @returns stops it */
  onReady(call: (serverName: string) => void): () => void;
  /** All that are known, in the order of their names. */
  all(): Promise<DestinationState[]>;
}

/** What is wrong with the signatures of an event. `unknown`: no key could be had, so that it may be good after all. */
export type EventComplaint = { why: string; unknown: boolean };

/** The keys of other servers, fetched once and kept. */
export interface KeyRing {
  /**
   * A server's key as it was at a time, for what it has said itself: a request. Of a name that is its own key, that key,
   * without asking anybody; else the server is asked where what is known does not do, at most once a minute.
   * @param at - milliseconds since 1970
   * @returns undefined where it has no such key, or does not answer
   */
  keyFor(serverName: string, keyId: string, at: number): Promise<Uint8Array | undefined>;
  /**
   * Which of the events are signed as they must be: by the sender's server, in room versions 1 and 2 also by that of the
   * event's id, for a restricted join by the server that authorises it, for an invite of a third party by whoever sent it.
   *
   * Keys of one server are asked for once, of 16 servers at a time; it takes at most some minutes, whoever does not answer.
   * @param via - the server that gave the events: it is asked for the keys of servers that do not answer
   * @returns in the order given: undefined for a good one
   * @see https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events
   */
  checkEvents(
    events: readonly ReceivedEvent[],
    rules: RoomVersionRules,
    via?: string,
  ): Promise<(EventComplaint | undefined)[]>;
}

/** An ephemeral data unit as it comes. @see https://spec.matrix.org/v1.19/server-server-api/#edus */
export type Edu = { edu_type: string; content: JsonObject };

/**
 * Has the effect of an EDU that `origin` has signed. It may be called again with the same one, after a crash. What is
 * wrong with the EDU is not thrown: then it has no effect.
 */
export type TakeEdu = (origin: string, edu: Edu) => Promise<void>;

/** An EDU that is to go out. */
export type OutgoingEdu = {
  edu: Edu;
  /** Servers that are to get it, without this one. */
  servers: readonly string[];
  /**
   * An EDU of the same key to the same server that has not been sent yet is out of date, and this one goes in its place:
   * typing of a room, presence of a user, a receipt of a user in a room and thread. Undefined: each is sent.
   */
  key?: string;
  /** Whether it must not be lost when the leader dies: false for what is soon out of date by itself, as typing. */
  durable: boolean;
};

/** Messages for devices of one server, which wait in their store until that server has them. */
export type OutgoingMessages = {
  edus: Edu[];
  /** All up to here is among them. */
  upTo: Position;
  hasMore: boolean;
};

/** What other servers are told that is no event. For the sender, which follows the log. */
export interface OutgoingEdus {
  /**
   * What an entry of the log means to others. Costs nothing for entries that mean nothing to them, and for those of rooms
   * and users that nobody elsewhere shares.
   */
  of(entry: PositionedEntry): Promise<OutgoingEdu[]>;
  /** The messages to devices that wait for a server, the oldest first. One range of rows. */
  messagesFor(server: string, after: Position, limit: number): Promise<OutgoingMessages>;
  /** Removes those that the server has. */
  messagesTaken(write: Write, server: string, upTo: Position): void;
}

/** What became of a PDU of a transaction, as its sender is told. */
export type PduResults = { [eventId: string]: { error?: string } };

/** A transaction whose signature has been checked. */
export type TakeTransaction = (
  origin: string,
  transaction: { transactionId: string; body: JsonObject; text: string },
) => Promise<PduResults>;

/** A destination, for the owner. */
export type DestinationForOwner = DestinationState & {
  /** Events and EDUs that wait. `catchingUp`: it gets the newest of each room when it is back, not all. */
  waiting: { pdus: number; edus: number };
  catchingUp: boolean;
  /** Relays to which transactions go when it is not there, as URLs. */
  relays: string[];
};

/** What the owner sees and does. */
export interface FederationForOwner {
  destinations(): Promise<DestinationForOwner[]>;
  /** @throws MatrixError M_NOT_FOUND 404 for one that nothing was ever sent to, and of which the owner knows no relay */
  retryNow(serverName: string): Promise<void>;
  /** Relays that the owner knows a server to have, beside those that it names itself. */
  setRelays(serverName: string, relays: readonly string[]): Promise<void>;
}
