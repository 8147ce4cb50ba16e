import type { Ed25519 } from "../../matrix/ed25519.ts";
import type { Space } from "../body.ts";
import type { Documents } from "../documents/api.ts";
import type { KeyMailbox } from "../key-mailbox/key-mailbox.ts";
import type { Mailbox } from "../mailbox/api.ts";
import type { KeyRing, Names } from "../names/api.ts";
import type { Sessions } from "../sessions/api.ts";

export type IngressLimits = {
  /** Bytes of a transaction's body; 8 MB hold 50 PDUs and 100 EDUs of the largest kind. */
  transactionBytes: number;
  /** Bytes of any other body for the federation API. */
  federationBytes: number;
  /** Bytes of a body for the client API: uploads. */
  clientBytes: number;
  /** Bytes of all bodies together that are read whole at one time. */
  bufferedBytes: number;
  /** Milliseconds for a body that is read whole. */
  bodyTime: number;
  /** Milliseconds without a byte of a body that is passed on. */
  idleTime: number;
  /** Milliseconds that a node has for the head of an answer to another server. */
  answerTime: number;
  /** The same for a client, whose long polls last. */
  clientAnswerTime: number;
};

export const defaultLimits: IngressLimits = {
  transactionBytes: 8 * 1024 * 1024,
  federationBytes: 8 * 1024 * 1024,
  clientBytes: 100 * 1024 * 1024,
  bufferedBytes: 256 * 1024 * 1024,
  bodyTime: 30_000,
  idleTime: 30_000,
  answerTime: 20_000,
  clientAnswerTime: 120_000,
};

/** What the ingress is made of. */
export type IngressParts = {
  /** As in RelayInfo. */
  relayName: string;
  /** Shown to servers that ask a node that is away for its version. */
  version: string;
  sessions: Sessions;
  mailbox: Mailbox;
  documents: Documents;
  keyMailbox: KeyMailbox;
  names: Names;
  keyRing: KeyRing;
  ed25519: Ed25519;
  /** Called when something was stored for a node. Must not throw. */
  onMail: (node: string) => void;
  /** Told what went wrong here, where the answer says no more than that something did. */
  onFault: (error: unknown) => void;
  now: () => number;
  limits: IngressLimits;
};

/** The same, with what all requests share. */
export type Ingress = IngressParts & { space: Space };
