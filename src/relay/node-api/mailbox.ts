import { Buffer } from "node:buffer";
import type { MailboxAnswer, MailboxEntry } from "../../link/relay-api.ts";
import { invalidParam } from "../../matrix/errors.ts";
import type { Entry, Taken } from "../mailbox/api.ts";
import type { Asked, Endpoint, NodeApiParts } from "./parts.ts";

/** Milliseconds: below what proxies give a request that says nothing. */
const MAX_WAIT = 25_000;
/** Milliseconds after which it is looked again: in a cluster, another relay may have stored something. */
const LOOK_AGAIN = 5_000;

export const takeMail: Endpoint = async (parts, { owner, query, signal }): Promise<MailboxAnswer> => {
  const acknowledge = numberOf(query, "acknowledge");
  const after = numberOf(query, "after");
  const wait = Math.min(numberOf(query, "wait"), MAX_WAIT);
  if (acknowledge > 0) await parts.mailbox.acknowledge(owner, acknowledge);
  const taken = await nextMail(parts, { owner, signal }, after, wait);
  return taken === undefined
    ? { entries_queued: false }
    : { entry: entryOf(taken.entry), entries_queued: taken.more };
};

async function nextMail(
  { mailbox, arrivals }: NodeApiParts,
  { owner, signal }: Pick<Asked, "owner" | "signal">,
  after: number,
  wait: number,
): Promise<Taken | undefined> {
  const waited = AbortSignal.any([signal, AbortSignal.timeout(wait)]);
  for (;;) {
    // Before it is looked: what comes in between is not missed.
    const looked = new AbortController();
    const arrival = arrivals.next(
      owner,
      AbortSignal.any([waited, looked.signal, AbortSignal.timeout(LOOK_AGAIN)]),
    );
    const taken = await mailbox.next(owner, after);
    if (taken !== undefined || wait === 0 || waited.aborted) {
      looked.abort();
      return taken;
    }
    await arrival;
  }
}

function entryOf({ id, origin, txnId, method, uri, authorization, body, receivedAt }: Entry): MailboxEntry {
  return {
    entry_id: id,
    origin,
    transaction_id: txnId,
    method,
    uri,
    authorization,
    body: Buffer.from(body).toString("base64"),
    received_at: receivedAt,
  };
}

function numberOf(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? "0";
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw invalidParam(`${name} should be a number, from 0 on.`);
}
