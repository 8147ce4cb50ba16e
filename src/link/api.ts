/**
 * What a node and a relay say to each other: HTTP exchanges in both directions over one session. Everything else
 * (taking mail, going to sleep, requests to other servers, requests from them) is such an exchange, so that each side
 * is a handler from request to response, whatever carries it.
 */

/** In their order; names in lower case. Those of one connection (`connection`, `transfer-encoding` …) do not cross. */
export type LinkHeaders = readonly (readonly [name: string, value: string])[];

export type LinkRequest = {
  method: string;
  /**
   * `/path?query` for the peer itself. With scheme and host for what the relay is to ask of others: `https://host/…`,
   * or `matrix://server.name/…`, where the relay finds out who serves the name.
   */
  target: string;
  headers: LinkHeaders;
  /** Pieces as they come; nothing is read ahead beyond the window of the stream. Undefined: no body. */
  body?: ReadableStream<Uint8Array> | undefined;
};

export type LinkResponse = {
  status: number;
  headers: LinkHeaders;
  body?: ReadableStream<Uint8Array> | undefined;
};

/**
 * Answers requests of the peer. What it throws is answered with 500 and told to nobody but the log.
 * @param signal - aborted when the peer does not want the answer any more, or the session has ended
 */
export type LinkHandler = (request: LinkRequest, signal: AbortSignal) => Promise<LinkResponse>;

export type ChannelKind = "webtransport" | "websocket" | "fetch";

/** Bytes both ways, reliable and in order. Pieces are cut anywhere. */
export type ByteChannel = {
  readonly kind: ChannelKind;
  /** Ends when the peer has closed; fails when the connection broke. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Back-pressure by `ready`: what is written while it is not ready is kept in memory. */
  readonly writable: WritableStream<Uint8Array>;
  /** Ends both directions at once. Does nothing the second time. */
  close(reason: string): void;
};

/** Who proves to be which server: what a node signs with. */
export type LinkIdentity = {
  serverName: string;
  /** As in `ed25519:a_b1`. */
  keyId: string;
  /** 32 bytes of Ed25519. */
  publicKey: Uint8Array;
  sign(message: Uint8Array): Promise<Uint8Array>;
};

/** Why a session is over. `refused`: it will be so again, trying does not help; `moved`: another session took its place. */
export type LinkEnd = {
  kind: "closed" | "broken" | "refused" | "moved" | "protocol";
  /** For people. */
  reason: string;
};

/** An open session, proved by the node's signature. */
export type Link = {
  readonly kind: ChannelKind;
  /** The server name that the node has proved. */
  readonly serverName: string;
  /**
   * @throws LinkError when the session ends before the head of an answer has come; a body breaks off with one as well
   */
  request(request: LinkRequest, signal?: AbortSignal): Promise<LinkResponse>;
  /** Milliseconds there and back, measured now. */
  ping(): Promise<number>;
  /** Takes no more requests, lets those under way end (at most as long as `grace` milliseconds), then closes. */
  close(reason: string, grace?: number): Promise<void>;
  /** Never fails. */
  readonly ended: Promise<LinkEnd>;
};

/** An exchange that did not come to its end, as its session has ended or the peer gave it up. */
export class LinkError extends Error {
  override readonly name = "LinkError";
  /** Whether the peer has certainly not begun with the request: then it may be sent again whatever it does. */
  readonly untouched: boolean;

  constructor(message: string, untouched: boolean) {
    super(message);
    this.untouched = untouched;
  }
}
