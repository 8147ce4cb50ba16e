import type { Documents } from "../documents/api.ts";
import type { AskHop } from "../egress/client.ts";
import { EgressFailure } from "../egress/failure.ts";
import { startWatch } from "../egress/watch.ts";
import type { Subscription, WakeUp } from "./api.ts";
import { checkSubscription, pushRequest, type Sender } from "./push-request.ts";

export type WakeUpParts = {
  documents: Documents;
  ask: AskHop;
  sender: Sender;
  /** Whether something is kept for this node, and it is still away. */
  needed(owner: string): Promise<boolean>;
  now(): number;
  /** Told how each push went: `sent`, `gone` (the subscription was dropped), `failed`. */
  observe(outcome: "sent" | "gone" | "failed"): void;
  report(error: unknown): void;
};

const kind = "wake-up";
const minute = 60_000;
const day = 1_440 * minute;
const times = { total: 20_000, silence: 10_000 };
const answerBytes = 4_096;
/** Nodes whose next push is remembered to be too early, so that mail in quick succession costs nothing. */
const remembered = 10_000;

/** `nextAt`: no push before that, in milliseconds since 1970. `failures`: in a row. */
type Kept = { subscription: Subscription; nextAt: number; failures: number };

export function openWakeUp(parts: WakeUpParts): WakeUp {
  const { documents, now } = parts;
  const waiting = new Map<string, ReturnType<typeof setTimeout>>();
  let open = true;

  /** Takes the right to send one push, of all relays that share the documents. */
  const claim = (owner: string) =>
    documents.change<Kept, { subscription: Subscription } | { wait: number } | undefined>(
      kind,
      owner,
      (kept) => {
        if (kept === undefined) return { result: undefined };
        if (kept.nextAt > now()) return { result: { wait: kept.nextAt - now() } };
        return { to: { ...kept, nextAt: now() + minute }, result: { subscription: kept.subscription } };
      },
    );

  /** Changes what is kept, where it is still about the same subscription. */
  const settle = (owner: string, { endpoint }: Subscription, to: (kept: Kept) => Kept | undefined) =>
    documents.change<Kept, void>(kind, owner, (kept) =>
      kept?.subscription.endpoint === endpoint ? { to: to(kept), result: undefined } : { result: undefined },
    );

  async function push(owner: string): Promise<void> {
    const claimed = await claim(owner);
    if (claimed === undefined || !open) return;
    if ("wait" in claimed) return later(owner, claimed.wait);
    const { subscription } = claimed;
    const answer = await send(parts, subscription);
    if (answer === "sent") {
      await settle(owner, subscription, (kept) => ({ ...kept, failures: 0 }));
    } else if (answer === "gone") {
      await settle(owner, subscription, () => undefined);
    } else {
      await settle(owner, subscription, (kept) => {
        const backOff = Math.min(60, 2 ** kept.failures) * minute;
        const wait = Math.min(day, Math.max(answer.retryAfter, backOff));
        return { ...kept, failures: Math.min(kept.failures + 1, 10), nextAt: now() + wait };
      });
    }
    parts.observe(typeof answer === "string" ? answer : "failed");
  }

  function later(owner: string, wait: number): void {
    // Above that number, what is not remembered is sent with the next mail.
    if (waiting.has(owner) || waiting.size >= remembered) return;
    const timer = setTimeout(() => {
      waiting.delete(owner);
      void attempt(async () => (await parts.needed(owner)) && (await push(owner)));
    }, wait);
    waiting.set(owner, timer);
  }

  const attempt = (act: () => Promise<unknown>) => act().then(() => undefined, parts.report);

  return {
    publicKey: parts.sender.keys.publicKey,
    async subscribe(owner, subscription) {
      const to =
        subscription === null
          ? undefined
          : { subscription: checkSubscription(parts.sender, subscription), nextAt: 0, failures: 0 };
      await documents.change<Kept, void>(kind, owner, (kept) => {
        // Subscribing again is no way around the one push a minute.
        const nextAt = Math.min(kept?.nextAt ?? 0, now() + minute);
        return { to: to && { ...to, nextAt }, result: undefined };
      });
    },
    isSubscribed: async (owner) => (await documents.read<Kept>(kind, owner)) !== undefined,
    async wake(owner) {
      if (open && !waiting.has(owner)) await attempt(() => push(owner));
    },
    close() {
      open = false;
      for (const timer of waiting.values()) clearTimeout(timer);
      waiting.clear();
    },
  };
}

type Outcome = "sent" | "gone" | { retryAfter: number };

/** Tells the push service. An endpoint that must not be asked is as good as gone. */
async function send({ ask, sender, now }: WakeUpParts, subscription: Subscription): Promise<Outcome> {
  const watch = startWatch(times, new AbortController().signal);
  try {
    const { status, headers, body } = await ask(pushRequest(sender, subscription), answerBytes, watch);
    await body.cancel();
    if (status >= 200 && status < 300) return "sent";
    // 403: subscribed with another relay's key.
    if (status === 404 || status === 410 || status === 403) return "gone";
    return { retryAfter: retryAfter(headers.find(([name]) => name === "retry-after")?.[1], now()) };
  } catch (error) {
    if (!(error instanceof EgressFailure)) throw error;
    return error.kind === "refused" ? "gone" : { retryAfter: 0 };
  } finally {
    watch.over();
  }
}

/** Milliseconds. Seconds or a date (RFC 9110 section 10.2.3). */
function retryAfter(value: string | undefined, now: number): number {
  if (value === undefined) return 0;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}
