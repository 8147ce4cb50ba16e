/*
 * What this page says to the service worker and to the worker that it owns, and hears from them. The other ends
 * are src/sw/pages.ts and src/worker-roomserver/main.ts: the page imports nothing of them.
 */

/** To the service worker. `port` goes with a port to the worker, of the leader with `epoch`. */
export type ToServiceWorker = { type: "port"; epoch: number } | { type: "claim" } | { type: "awake" };

/**
 * From the service worker: `needPort` is for the leader, `busy` and `idle` for everyone, `openRoom` for the tab that it
 * has brought forward because a notification was clicked.
 */
export type FromServiceWorker =
  | { type: "needPort"; ask: string }
  | { type: "busy" }
  | { type: "idle" }
  | { type: "openRoom"; userId: string; roomId: string };

/** A request of the owner's API, `target` as in `/_hearth/v1/settings`. */
export type HostQuestion = { method: string; target: string; body?: string };
export type HostAnswer = { status: number; text: string };

/**
 * To the worker: `open` first, with what the host of the page wants, if it has one; then a `port` (transferred along) for
 * each who wants to call it. `asleep`: the browser stops this page, or lets it go on. `ask` and `sleep` are the host's,
 * answered on a port that goes along: by a HostAnswer, and by undefined once all relays know.
 */
export type ToWorker =
  | { type: "open"; dbName: string; host?: object }
  | { type: "ask"; question: HostQuestion }
  | { type: "sleep" }
  | { type: "port" }
  | { type: "asleep"; asleep: boolean };

/**
 * From the worker.
 * - `ready`: it leads, with `epoch`.
 * - `failed`: it could not start; `message` is for people.
 * - `stopped`: it must not be used any more. `fenced`: another leader has taken over. `superseded`: a newer
 *   version of the page has taken the database. `lost`: the browser has taken the database away.
 */
export type FromWorker =
  | { type: "ready"; epoch: number }
  | { type: "failed"; message: string }
  | { type: "stopped"; why: "fenced" | "superseded" | "lost" };
