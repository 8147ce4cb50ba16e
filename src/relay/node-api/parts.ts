import type { WakeUpRequest } from "../../link/relay-api.ts";
import type { Ed25519 } from "../../matrix/ed25519.ts";
import type { Documents } from "../documents/api.ts";
import type { Egress } from "../egress/api.ts";
import type { KeyMailbox } from "../key-mailbox/key-mailbox.ts";
import type { Mailbox } from "../mailbox/api.ts";
import type { Arrivals } from "../mailbox/arrivals.ts";
import type { Names } from "../names/api.ts";
import type { Sessions } from "../sessions/api.ts";

/** What a node's requests are answered with. */
export type NodeApiParts = {
  mailbox: Mailbox;
  arrivals: Arrivals;
  keyMailbox: KeyMailbox;
  documents: Documents;
  names: Names;
  egress: Egress;
  ed25519: Ed25519;
  sessions: Pick<Sessions, "isAwake"> & {
    setAsleep(serverName: string, asleep: boolean): void | Promise<void>;
  };
  wakeUp: {
    /** @throws {MatrixError} for an endpoint that is not one of a push service */
    subscribe(owner: string, subscription: WakeUpRequest["subscription"]): Promise<void>;
    isSubscribed(owner: string): Promise<boolean>;
  };
  /** Told what went wrong here, where the answer says no more than that something did. */
  onFault: (error: unknown) => void;
};

/** One request of a node. */
export type Asked = {
  /** The server name that the session has proved. */
  owner: string;
  query: URLSearchParams;
  /** What the path ends with, decoded, where the route has such a part. */
  name: string;
  /** Undefined where there is none. */
  body: unknown;
  signal: AbortSignal;
};

/** @returns what is answered with 200, as JSON */
export type Endpoint = (parts: NodeApiParts, asked: Asked) => Promise<unknown>;
