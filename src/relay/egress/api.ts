import type { LinkRequest, LinkResponse } from "../../link/api.ts";

/** What a node wants of another server: which limits hold follows from it. Sent as the header `x-hearth-purpose`. */
export type Purpose = "federation" | "push" | "app-service" | "preview" | "media";

/**
 * Carries a node's request to another server. Answers of that server come back as they are, whatever their status.
 * What the relay itself has to say is an answer with the header `x-hearth-egress`, whose value is one of:
 * `refused` (403: a target that is never asked), `limited` (429, with `retry-after`), `unreachable` (502: no address,
 * no connection, TLS), `timeout` (504), `broken` (502: the answer broke off or was too large); body a Matrix error.
 */
export type Egress = (
  owner: string,
  purpose: Purpose,
  request: LinkRequest,
  signal: AbortSignal,
) => Promise<LinkResponse>;
