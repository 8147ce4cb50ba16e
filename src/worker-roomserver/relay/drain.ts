import { isServerName } from "../../matrix/identifiers.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { Mail } from "./api.ts";
import type { StoredInbox } from "./inbox.ts";
import type { AskRelay } from "./relay-client.ts";

/** How long the relay waits for mail before it says that there is none. Milliseconds; the most it allows. */
const WAIT_MS = 25_000;
/** A relay that does not wait is asked no more often than this. Milliseconds. */
const LEAST_WAIT_MS = 1_000;
const base64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
/** No server has such; and they stand in keys of the database. */
const MOST_TRANSACTION_ID = 1_000;

export type DrainOptions = {
  ask: AskRelay;
  inbox: Pick<StoredInbox, "add">;
  /** Mail is coming, or all of it is here. */
  onMail: (mail: "none" | "coming") => void;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Resolves after so many milliseconds, or with the signal. */
  pause: (ms: number, signal: AbortSignal) => Promise<void>;
  signal: AbortSignal;
};

/**
 * Takes in a mailbox, one entry after the other, and waits for more, until the signal. While an entry is being committed
 * the next one is asked for; acknowledged is only what is on the disk.
 *
 * What is acknowledged is no more at the relay, so the mailbox itself says where to go on: nothing of that is kept here,
 * and a relay that has lost its numbers (and counts from one again) is drained like any other. An entry that was
 * committed and not acknowledged comes once more, and the inbox knows it.
 * @throws what the relay or the inbox fails with: nothing is acknowledged then that is not on the disk
 */
export async function drain({ ask, inbox, onMail, now, pause, signal }: DrainOptions): Promise<void> {
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  const get = (at: { acknowledge: number | undefined; after: number | undefined; wait: number }) => {
    const query = Object.entries(at).flatMap(([name, value]) =>
      value === undefined ? [] : `${name}=${value}`,
    );
    const asked = ask("GET", `/mailbox?${query.join("&")}`, undefined, until).then(readAnswer);
    asked.catch(() => undefined); // it may fail while the entry before is still being committed
    return asked;
  };
  let committed: number | undefined;
  let asked = now();
  /** The request that is under way is one that the relay may take its time with. */
  let isWaiting = false;
  let answer = get({ acknowledge: undefined, after: undefined, wait: 0 });
  const waitForMore = () => {
    asked = now();
    return get({ acknowledge: committed, after: committed, wait: WAIT_MS });
  };
  try {
    while (!signal.aborted) {
      const { entry, hasMore } = await answer;
      if (entry === undefined) {
        onMail("none");
        const early = asked + LEAST_WAIT_MS - now();
        if (isWaiting && early > 0) await pause(early, until);
        isWaiting = true;
        answer = waitForMore();
        continue;
      }
      if (committed !== undefined && entry.id <= committed) {
        throw new Error("The relay gives mail again that it was told is here.");
      }
      onMail("coming");
      const stored = entry.mail === undefined ? undefined : inbox.add(entry.mail);
      if (hasMore) answer = get({ acknowledge: committed, after: entry.id, wait: 0 });
      await stored;
      committed = entry.id;
      isWaiting = !hasMore;
      if (!isWaiting) continue;
      onMail("none");
      answer = waitForMore();
    }
  } finally {
    // The request that is under way is of no use any more, and would hold the mailbox.
    stop.abort();
  }
}

type Answer = { entry?: { id: number; mail: Mail | undefined }; hasMore: boolean };

/** @throws Error for what is not an answer at all */
function readAnswer({ entry, entries_queued }: JsonObject): Answer {
  if (entry === undefined || entry === null) return { hasMore: false };
  if (typeof entry !== "object" || Array.isArray(entry) || !Number.isSafeInteger(entry.entry_id)) {
    throw new Error("The relay's mailbox gives what is no entry.");
  }
  return { entry: { id: Number(entry.entry_id), mail: readMail(entry) }, hasMore: entries_queued === true };
}

/**
 * @returns undefined for what can be no transaction of a server: whoever has sent it, it must not keep what comes after
 *   it from coming
 */
function readMail(entry: JsonObject): Mail | undefined {
  const { origin, transaction_id, method, uri, authorization, body, received_at } = entry;
  const isMail =
    isServerName(origin) &&
    typeof transaction_id === "string" &&
    transaction_id.length <= MOST_TRANSACTION_ID &&
    typeof method === "string" &&
    typeof uri === "string" &&
    Array.isArray(authorization) &&
    authorization.every((each) => typeof each === "string") &&
    typeof body === "string" &&
    base64.test(body) &&
    typeof received_at === "number";
  if (!isMail) {
    console.warn("hearth: a relay has brought what is no transaction of a server; it is left out");
    return undefined;
  }
  return {
    ...{ origin, method, uri, authorization },
    // In one spelling: what came by another way has to be known as the same.
    body: body.replace(/=+$/, ""),
    transactionId: transaction_id,
    receivedAt: received_at,
  };
}
