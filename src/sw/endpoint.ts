import type { GenericSchema, InferOutput } from "valibot";
import type { Method } from "../door/path-router.ts";
import type { MatrixError } from "../matrix/errors.ts";
import type { Node } from "../worker-roomserver/node/api.ts";
import type { JsonBytes, Requester, RequestId } from "../worker-roomserver/node/requester.ts";

/**
 * Who may call. `none`: anyone, a token is not looked at. `optional`: with or without a token, but a bad one is an
 * error. `user`: a registered account; `admin`: one that administrates the server. `guest`: a user, or a guest. `appService`: an application service with its
 * `as_token`. `appServiceOrNone`: that, or anyone; a token that is no service's is not looked at.
 */
export type AuthKind = "none" | "optional" | "user" | "admin" | "guest" | "appService" | "appServiceOrNone";

/** Which budget a call draws on, where calls are limited at all: see limits.ts. */
export type LimitClass = "none" | "read" | "write" | "message" | "login" | "register";

/**
 * One endpoint, described once: this is the route, the check at the door and the types of its handler.
 * `path` has `{name}` for each part of `params`. A path under `/_matrix/client/v3/` is also served under `r0`,
 * one under `/_matrix/media/v3/` under `r0` and `v1`.
 * `body` absent: no body is read. `optionalBody`: an absent body counts as `{}`. `bodyFormat`: what the body is written
 * in, JSON where it is absent; a `form` is an object of strings, `bytes` are handed on as a Blob and never read here.
 * `pageSession`: where a page gives no token, the one that it has last given serves (page-sessions.ts).
 * `revokes`: may make access tokens invalid, so that the cache of tokens must be dropped afterwards. `evenLocked`: is
 * there for locked accounts too.
 * @see https://spec.matrix.org/v1.19/client-server-api/
 */
export type Description<
  P extends GenericSchema = GenericSchema,
  Q extends GenericSchema = GenericSchema,
  B extends GenericSchema = GenericSchema,
  R extends GenericSchema = GenericSchema,
> = {
  method: Method;
  path: `/${string}`;
  auth: AuthKind;
  pageSession?: true;
  limit: LimitClass;
  /** Path parameters, percent-decoded. Ids are strings here: their grammar is the components' business. */
  params?: P;
  /** Query parameters: strings, or arrays of strings for repeated ones; the schema transforms them. */
  query?: Q;
  body?: B;
  optionalBody?: true;
  bodyFormat?: "form" | "bytes";
  /** The JSON body of a 200; what is answered as `Content` is not held to it. */
  response: R;
  revokes?: true;
  /** Writes its errors, those of the door too, where they are not to be Matrix's. */
  refusal?: (error: MatrixError) => Reply | Content;
  /** The same for somebody who has opened it in a tab of its own; undefined: this one is as for everybody. */
  refusalInTab?: (error: MatrixError) => Content | undefined;
  evenLocked?: true;
  /** For the description of the owner's API (console/openapi.ts): what its clients may call it, and a sentence. */
  operationId?: string;
  summary?: string;
};

export type Context<D extends Description> = {
  node: Node;
  request: RequestId;
  /** With `appServiceOrNone`: why there is no requester. */
  withoutRequester: MatrixError | undefined;
  requester: D["auth"] extends "none"
    ? undefined
    : D["auth"] extends "optional" | "appServiceOrNone"
      ? Requester | undefined
      : Requester;
  params: D["params"] extends GenericSchema ? InferOutput<D["params"]> : undefined;
  query: D["query"] extends GenericSchema ? InferOutput<D["query"]> : undefined;
  body: D["body"] extends GenericSchema ? InferOutput<D["body"]> : undefined;
  /** Path and query as they came, percent-encoded, without the prefix that the page is served under. */
  target: string;
  /** Where whoever asks reaches this homeserver, without a slash at its end: the page's folder, or a name at a relay. */
  baseUrl: string;
  headers: Headers;
  /** What the page wants it for, "" for what its script fetches and for whoever is no page. */
  destination: RequestDestination;
  /** Aborted when the client has gone. */
  signal: AbortSignal;
};

/** An answer that is not a plain 200 with JSON. */
export class Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Record<string, string>;
  constructor(status: number, body: unknown, headers: Record<string, string> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** An answer that is not JSON. `headers` name its type. */
export class Content {
  readonly status: number;
  readonly body: Blob | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | string | null;
  readonly headers: Record<string, string>;
  constructor(status: number, body: Content["body"], headers: Record<string, string>) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

export type Handler<D extends Description> = (
  context: Context<D>,
) => Promise<InferOutput<D["response"]> | JsonBytes | Reply | Content>;

/** What the door hands to any handler: its parts have been held to the description, which is what types them. */
export type AnyContext = {
  node: Node;
  request: RequestId;
  requester: Requester | undefined;
  withoutRequester: MatrixError | undefined;
  params: unknown;
  query: unknown;
  body: unknown;
  target: string;
  baseUrl: string;
  headers: Headers;
  destination: RequestDestination;
  signal: AbortSignal;
};

export type Endpoint = { description: Description; handle: (context: AnyContext) => Promise<unknown> };

/** Binds a description to its handler. */
export function endpoint<const D extends Description>(description: D, handle: Handler<D>): Endpoint {
  return { description, handle: handle as unknown as Endpoint["handle"] };
}
