import type { Requester } from "../node/requester.ts";

/** `ttl`: seconds for which it is good. */
export type TurnCredentials = { username: string; password: string; uris: string[]; ttl: number };

export interface Voip {
  /**
   * What a client may use for its calls; `{}` where the owner has set no TURN server: every homeserver answers so, and
   * clients then go without. From memory.
   * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3voipturnserver
   */
  turnServer(requester: Requester): Promise<TurnCredentials | Record<string, never>>;
}
