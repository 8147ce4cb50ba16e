import type { JsonBytes, Requester, RequestId } from "../node/requester.ts";

/** A request of an administrator, whom the caller has authenticated. Plain data: it crosses ports. */
export type ConsoleRequest = {
  requester: Requester;
  request: RequestId;
  method: string;
  /** Path and query, percent-encoded, without the prefix that the page is served under. */
  target: string;
  /** As it came; absent where the method has none. */
  body?: Blob | undefined;
};

/**
 * The owner's API as a whole, behind a door of its own (src/sw/console): few ever ask it, so that its code is loaded when
 * one does, which a service worker cannot.
 */
export interface Console {
  /**
   * @param name - names this call, so that `cancel` can end it early
   * @returns the answer's JSON
   * @throws MatrixError with what is answered instead; M_UNRECOGNIZED 404 and 405 for what is no endpoint
   */
  answer(request: ConsoleRequest, name: string): Promise<JsonBytes>;
  /** The client of this call has gone: stop waiting. Unknown names are ignored. */
  cancel(name: string): Promise<void>;
  /** The API's description: an OpenAPI 3.1 document. */
  openApi(): Promise<JsonBytes>;
}
