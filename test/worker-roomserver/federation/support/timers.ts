/** A clock that a test moves, with what is to be called in time. */
export function testTimers(start = 1_700_000_000_000) {
  const waiting = new Set<{ at: number; call: () => void }>();
  const clock = { now: start };
  return {
    now: () => clock.now,
    later: (ms: number, call: () => void) => {
      const timer = { at: clock.now + ms, call };
      waiting.add(timer);
      return () => void waiting.delete(timer);
    },
    /** Calls what is due on the way, in its order. */
    pass: (ms: number) => {
      const until = clock.now + ms;
      for (;;) {
        const [next] = [...waiting].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        waiting.delete(next);
        clock.now = Math.max(clock.now, next.at);
        next.call();
      }
      clock.now = until;
    },
  };
}
