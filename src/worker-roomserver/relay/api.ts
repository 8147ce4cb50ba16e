import type { ChannelKind } from "../../link/api.ts";
import type { Write } from "../storage/api.ts";
import type { Position } from "../storage/schema.ts";

/** How a relay of the owner's stands: plain data, and words that a page can show as they are. */
export type RelayState = {
  /** Origin by which it is reached, as in `https://relay.example.org`; names it in all that is asked here. */
  url: string;
  /** What it calls itself, "" until it has been reached. */
  name: string;
  /** `home`: this node's name ends in the relay's; it cannot be removed. */
  added: "home" | "owner";
  /** `waiting`: tries again at `retry_at`. `refused`: it does not, as it would be refused again. */
  connection: "connecting" | "connected" | "waiting" | "refused";
  /** A sentence or more. */
  words: string;
  kind?: ChannelKind;
  /** Milliseconds there and back, when it was last measured. */
  round_trip?: number;
  /** Milliseconds since 1970. */
  retry_at?: number;
  /** Whether what it has kept for this node is being taken in; `stuck`: it is not, and `words` says why. */
  mail: "none" | "coming" | "stuck";
  /** Whether clients elsewhere may log in through it. */
  client_api: boolean;
  /** Names beside the node's own under which others find the node through it. */
  names: string[];
  /** Whether it wakes a browser when mail comes; `wake_up_key`: with which (VAPID, base64url), where it can. */
  wake_up: boolean;
  wake_up_key?: string;
};

/** With what a relay wakes a browser: a PushSubscription's JSON. */
export type WakeUpSubscription = { endpoint: string; keys: { p256dh: string; auth: string } };

/**
 * The relays that this node keeps sessions with. All but `knowsMark` and `setAsleep` is for the server's owner alone:
 * nothing here asks who calls.
 */
export interface Relays {
  /** In the order of their URLs. */
  states(): Promise<RelayState[]>;
  /**
   * Keeps a session with a relay from now on. Adding one that is there changes nothing.
   * @param url - its origin; http only for this machine
   * @throws MatrixError M_INVALID_PARAM 400 for another URL; M_LIMIT_EXCEEDED 400 for more than 8
   */
  add(url: string): Promise<RelayState>;
  /**
   * Ends the session for good. Mail that it keeps, and keys that it has, stay with it. One that is not there is no error.
   * @throws MatrixError M_FORBIDDEN 403 for the home relay
   */
  remove(url: string): Promise<void>;
  /** Tries to connect now. @throws MatrixError M_NOT_FOUND 404 */
  retry(url: string): Promise<void>;
  /** Lets clients reach the client API through this relay, or not. @throws MatrixError M_NOT_FOUND 404 */
  setClientApi(url: string, open: boolean): Promise<void>;
  /** @param subscription - null: none any more. @throws MatrixError M_NOT_FOUND 404 */
  setWakeUp(url: string, subscription: WakeUpSubscription | null): Promise<void>;
  /**
   * Asks a relay for a name beside the node's own.
   * @returns the whole name
   * @throws MatrixError M_NOT_FOUND 404; M_UNKNOWN 503 when it is not connected; what the relay answers, as 409
   *   M_USER_IN_USE where somebody has it
   */
  claimName(url: string, label: string): Promise<string>;
  /** The page goes to sleep, so that mail is kept at once, or is awake again. */
  setAsleep(asleep: boolean): Promise<void>;
  /** Whether a request with this mark (see `RELAY_MARK`) comes through a relay. */
  knowsMark(mark: string): Promise<boolean>;
}

/**
 * Header of what this node asks its own service worker for somebody who has come through a relay: a secret, so that
 * nobody else passes for a relay, and always there, so that none of them passes for a page.
 */
export const RELAY_MARK = "x-hearth-relay";
/** Header beside it: where they reach this homeserver, as in `https://<name>`. */
export const RELAYED_BASE = "x-hearth-base";
/** Header of such a request, whatever it says: its sender is not held to a number of requests. */
export const RELAY_UNLIMITED = "x-hearth-unlimited";
/**
 * Header of the answer: its status. The answer itself always has 200, as a fetch follows redirects; and one without this
 * header does not come from the service worker.
 */
export const RELAYED_STATUS = "x-hearth-status";

/** A transaction as it came: nobody has looked at its signature. */
export type Mail = {
  origin: string;
  transactionId: string;
  method: string;
  uri: string;
  authorization: string[];
  /** Base64. */
  body: string;
  /** Milliseconds since 1970. */
  receivedAt: number;
};
export type InboxMail = Mail & { id: Position };

/**
 * - `taken`: the transaction had its effect. It is not taken in again, whoever brings it.
 * - `refused`: this is not what its origin has sent. Another delivery of the same transaction may be.
 */
export type MailVerdict = "taken" | "refused";

/**
 * Transactions of other servers that have come and not had their effect yet. The receiver follows the log's entries
 * `mail`, or asks for what comes next; it may die at any moment, as mail stays until it is done.
 */
export interface Inbox {
  /**
   * Takes in what was delivered, whole, in one unit with an entry of the log; it is on the disk when this resolves.
   * @returns false for what is here already, or has been taken
   * @throws MatrixError M_UNKNOWN 507 when there is no room for it, here or on the disk
   */
  add(mail: Mail): Promise<boolean>;
  /** The oldest after an id; undefined when there is none. One row. */
  next(after: Position): Promise<InboxMail | undefined>;
  /** All that waits, the oldest first, without what is in it: for who takes in each server's mail by itself. From memory. */
  waiting(): Promise<{ id: Position; origin: string }[]>;
  /** One of those that wait; undefined if it has ended. One row. */
  read(id: Position): Promise<InboxMail | undefined>;
  /**
   * Ends a piece of mail in the caller's own unit, so that its effect and its end are on the disk together. With `taken`,
   * other deliveries of the transaction end with it.
   * @param answer - what the transaction's sender is told, which is kept as long as it is known that it was taken
   * @returns to be called in that unit, in the same generation
   */
  ending(mail: Pick<InboxMail, "id">, verdict: MailVerdict, answer?: string): Promise<(write: Write) => void>;
  /** What the sender of a transaction that was taken was to be told; undefined for one that was not. One row. */
  answerOf(origin: string, transactionId: string): Promise<string | undefined>;
}
