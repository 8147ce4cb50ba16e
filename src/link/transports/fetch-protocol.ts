/**
 * A session over plain requests, for networks that let nothing else through. Below the link's address:
 * * `POST /` opens one: `{ "session": "…" }`, a name that nobody can guess;
 * * `POST /{session}/up?at=N` brings bytes, the first of which is the Nth of all: `{ "at": M }`, how many have been
 *   taken in all. What was taken before is passed over, so that a request whose answer was lost is sent again;
 * * `GET /{session}/down?at=N` gives bytes from the Nth on, and lets go of those before it. Waits for some; an empty
 *   answer means that there were none. `x-hearth-link: ended` says that none will follow;
 * * `POST /{session}/end` ends it.
 * 404: there is no such session (any more). 409: `at` is neither where the other side is nor before that.
 */
export const endedHeader = "x-hearth-link";

/** Of one request or answer. */
export const maxTransfer = 256 * 1024;

/** How long an answer with no bytes is waited for, in milliseconds: proxies cut at 30 seconds or more. */
export const pollWait = 25_000;
