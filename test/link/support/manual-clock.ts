import type { Clock } from "../../../src/link/clock.ts";

/** A clock that stands still until it is moved. */
export type ManualClock = Clock & {
  /** Lets so many milliseconds pass: what is due goes off in its order. */
  advance(milliseconds: number): void;
  /** What was asked for and has neither gone off nor been called off, in milliseconds from now. */
  readonly pending: number[];
};

export function manualClock(start = 1_700_000_000_000): ManualClock {
  let now = start;
  const timers = new Set<{ at: number; run: () => void }>();
  return {
    now: () => now,
    after(milliseconds, run) {
      const timer = { at: now + milliseconds, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(milliseconds) {
      const until = now + milliseconds;
      for (;;) {
        const due = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        timers.delete(due);
        now = Math.max(now, due.at);
        due.run();
      }
      now = until;
    },
    get pending() {
      return [...timers].map(({ at }) => at - now).sort((a, b) => a - b);
    },
  };
}
