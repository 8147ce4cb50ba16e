/** A request to a server outside. Plain data: it may be carried out elsewhere. */
export type EgressRequest = {
  method: "GET" | "PUT" | "POST";
  /** What it is for: which limits hold follows from it, where a relay carries it. */
  purpose: "push" | "app-service";
  /** https, and of a host that may be public (see src/matrix/public-hosts.ts). */
  url: string;
  headers: Record<string, string>;
  /** `any`: the owner of this server has named the URL, which may be http and lead into their own network. */
  hosts?: "any";
  body?: string;
  /** Milliseconds, for all of it. */
  timeout: number;
  /** Bytes of an answer's body: one that is longer is an error. */
  maxBytes: number;
};

/** An answer of any status; redirects are not followed. */
export type EgressResponse = {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array<ArrayBuffer>;
};

/**
 * Asks a server outside for something. It is not tried again here: what that is good for, the caller knows.
 * @throws EgressRefused for a URL that is not to be asked, now or ever; Error when there was no answer, or one that
 *   was too late or too long
 */
export type Egress = (request: EgressRequest) => Promise<EgressResponse>;

/** The URL leads where this server does not go. */
export class EgressRefused extends Error {
  override readonly name = "EgressRefused";
}
