/**
 * Where a request leads, and for what: each kind has rules of its own about which servers it may reach (rules.ts). Named
 * as relays name them. URLs of the kinds `federation` and `media` are `matrix://<server name>/…`: who carries them finds
 * out who serves the name.
 */
export type EgressTarget = { kind: EgressKind; url: string };
export type EgressKind = "federation" | "media" | "push" | "app-service" | "preview";

/** Plain data: it may be carried out elsewhere. */
export type EgressRequest = {
  method: "GET" | "PUT" | "POST";
  headers: Record<string, string>;
  body?: string;
  /** Milliseconds, from the request to the end of the answer's body. */
  timeout: number;
  /** Bytes of the answer's body: one that is longer fails where it passes that. */
  maxBytes: number;
};

/** An answer of any status. Whoever does not read the body to its end cancels it. */
export type EgressAnswer = {
  status: number;
  /** By names in lower case. */
  headers: Record<string, string>;
  /** Where it comes from, which is elsewhere after redirects. */
  url: string;
  /** Comes as it is read; when it fails, its error is an EgressFailure. */
  body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
};

/**
 * Why there is no answer, and what that is good for. `refused`: such a URL is not asked, now or later. `unreachable`: nobody
 * was asked, as far as can be told; later there may be a way. `timeout`: the request may have arrived all the same, so only what may
 * arrive twice is to be sent again. `tooLarge`: it was answered, and would be so again.
 */
export type EgressFailure = {
  failure: "refused" | "unreachable" | "timeout" | "tooLarge";
  why: string;
  /** The fault is on the way out from here, and nothing has been found out about the server. */
  isOurs?: true;
  /** Milliseconds after which there is a way for the same request, which was not sent. */
  retryAfter?: number;
};

/** The way out to servers that are not this one. */
export interface Egress {
  /**
   * Makes one request. Nothing is tried again here: what that is good for, the caller knows. Fails never: what went wrong
   * is an answer too.
   */
  fetch(target: EgressTarget, request: EgressRequest): Promise<EgressAnswer | EgressFailure>;
}

export const isFailure = (value: unknown): value is EgressFailure =>
  typeof value === "object" && value !== null && "failure" in value;
