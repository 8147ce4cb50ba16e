import type { Mailbox } from "./api.ts";

/** Lets somebody wait for mail instead of asking for it again and again. */
export type Arrivals = {
  /** Resolves when mail has been stored for this owner, or `signal` is aborted. Never fails. */
  next(owner: string, signal: AbortSignal): Promise<void>;
};

/** @returns besides, how it is told that something came */
export function openArrivals(): Arrivals & { tell(owner: string): void } {
  const waiting = new Map<string, Set<() => void>>();

  const next = (owner: string, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      if (signal.aborted) return resolve();
      const own = waiting.get(owner) ?? new Set();
      waiting.set(owner, own);
      const done = () => {
        signal.removeEventListener("abort", done);
        own.delete(done);
        if (own.size === 0 && waiting.get(owner) === own) waiting.delete(owner);
        resolve();
      };
      own.add(done);
      signal.addEventListener("abort", done);
    });

  const tell = (owner: string) => {
    for (const done of waiting.get(owner) ?? []) done();
  };
  return { next, tell };
}

/**
 * @param tell - called with the owner of what was stored
 * @returns the same mailbox, which tells of what is stored through it
 */
export function telling(mailbox: Mailbox, tell: (owner: string) => void): Mailbox {
  const put: Mailbox["put"] = async (owner, mail) => {
    const outcome = await mailbox.put(owner, mail);
    if (outcome === "stored") tell(owner);
    return outcome;
  };
  return { ...mailbox, put };
}

/** @returns the same mailbox, which tells of what is stored through it */
export function withArrivals(mailbox: Mailbox): { mailbox: Mailbox; arrivals: Arrivals } {
  const arrivals = openArrivals();
  return { mailbox: telling(mailbox, arrivals.tell), arrivals };
}
