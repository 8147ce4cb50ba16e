import type { GenericSchema, InferOutput } from "valibot";
import type { Method } from "../../../door/path-router.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { ServerName } from "../../../matrix/server-names.ts";

/**
 * One endpoint for other servers, described once: this is the route, the check at the door and the types of its
 * handler. `auth`: `server` for requests that the other server has signed, `none` for those that anybody may make.
 * `body` absent: none is read, though one that is there is part of what was signed.
 * @see https://spec.matrix.org/v1.19/server-server-api/
 */
export type Description<
  P extends GenericSchema = GenericSchema,
  Q extends GenericSchema = GenericSchema,
  B extends GenericSchema = GenericSchema,
> = {
  method: Method;
  path: `/_matrix/${string}`;
  /** Paths of earlier versions that are answered the same. */
  before?: readonly `/_matrix/${string}`[];
  auth: "server" | "none";
  params?: P;
  /** Strings, or arrays of strings for repeated ones; the schema transforms them. */
  query?: Q;
  body?: B;
  /** Bytes of a body; a mebibyte where it is absent. */
  maxBytes?: number;
};

export type Context<D extends Description> = {
  /** Who asks, and has proved it. */
  origin: D["auth"] extends "server" ? ServerName : undefined;
  params: D["params"] extends GenericSchema ? InferOutput<D["params"]> : undefined;
  query: D["query"] extends GenericSchema ? InferOutput<D["query"]> : undefined;
  body: D["body"] extends GenericSchema ? InferOutput<D["body"]> : undefined;
  /** The body as it came: events in it are to be read from their own text. "" where there is none. */
  text: string;
  /** Path and query, and the `Authorization` headers, as they came. */
  target: string;
  authorization: string[];
  /** Aborted when who asks has gone. */
  signal: AbortSignal;
};

/** An answer that is not JSON, or has another status than 200. */
export class Content {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: ReadableStream<Uint8Array> | Uint8Array | JsonObject;
  constructor(status: number, headers: Record<string, string>, body: Content["body"]) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

/**
 * JSON that has been written already, as an answer of 200: large ones hold the text of many events, and are read from
 * the disk while they are sent. When that fails, the answer breaks off, which is no JSON to who gets it.
 */
export class WrittenJson {
  readonly pieces: Iterable<string> | AsyncIterable<string>;
  constructor(pieces: Iterable<string> | AsyncIterable<string>) {
    this.pieces = pieces;
  }
}

export type Answer = JsonObject | Content | WrittenJson;

export type Handler<D extends Description> = (context: Context<D>) => Promise<Answer>;

/** What the door hands to any handler: its parts have been held to the description, which is what types them. */
export type AnyContext = {
  origin: ServerName | undefined;
  params: unknown;
  query: unknown;
  body: unknown;
  text: string;
  target: string;
  authorization: string[];
  signal: AbortSignal;
};

export type Endpoint = { description: Description; handle: (context: AnyContext) => Promise<Answer> };

/** Binds a description to its handler. */
export function endpoint<const D extends Description>(description: D, handle: Handler<D>): Endpoint {
  return { description, handle: handle as unknown as Endpoint["handle"] };
}
