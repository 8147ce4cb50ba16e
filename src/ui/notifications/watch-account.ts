import type { Account } from "../state/accounts.ts";
import { type NewEvent, type Note, noteOf, tagOf } from "./note.ts";

/** Where notifications are shown. */
export type Shade = { show(note: Note): Promise<void>; close(tag: string): Promise<void> };

export type WatchSurroundings = {
  /** Without a slash at its end. */
  baseUrl: string;
  fetch: typeof fetch;
  shade: Shade;
  /** Whether somebody looks at the room right now. */
  isViewed: (userId: string, roomId: string) => Promise<boolean>;
  /** Resolves after so many milliseconds, or when the signal comes. */
  pause: (ms: number, signal: AbortSignal) => Promise<void>;
};

type News = { next: string; notifications: NewEvent[]; read: string[] };

const POLL_MS = 25_000;
/** How long to wait when the homeserver does not answer: between two leading tabs it may be a while. */
const PAUSE_MS = 5_000;

/**
 * Shows what comes for an account and takes away what has been read, until it is told to stop or the login ends.
 * What came before is not shown.
 */
export async function watchAccount(
  account: Account,
  surroundings: WatchSurroundings,
  signal: AbortSignal,
): Promise<void> {
  let from: string | undefined;
  while (!signal.aborted) {
    try {
      const news = await ask(account, surroundings, from, signal);
      if (news === "logged out") return;
      await tell(account.userId, surroundings, news);
      from = news.next;
    } catch (error) {
      if (signal.aborted) return;
      console.debug("notifications are asked for again in a moment", error);
      await surroundings.pause(PAUSE_MS, signal);
    }
  }
}

async function ask(
  { accessToken }: Account,
  { baseUrl, fetch }: WatchSurroundings,
  from: string | undefined,
  signal: AbortSignal,
): Promise<News | "logged out"> {
  const query = new URLSearchParams({ timeout: String(POLL_MS), ...(from !== undefined && { from }) });
  const response = await fetch(`${baseUrl}/_hearth/v1/notifications?${query}`, {
    headers: { Authorization: `Bearer ${accessToken}` },
    signal,
  });
  if (response.status === 401) return "logged out";
  if (!response.ok) throw new Error(`The homeserver answered ${response.status}.`);
  return (await response.json()) as News;
}

async function tell(userId: string, { shade, isViewed }: WatchSurroundings, news: News): Promise<void> {
  for (const event of news.notifications) {
    if (!(await isViewed(userId, event.room_id))) await shade.show(noteOf(userId, event));
  }
  for (const roomId of news.read) await shade.close(tagOf(userId, roomId));
}
