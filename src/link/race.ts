import type { ChannelKind } from "./api.ts";
import type { Clock } from "./clock.ts";
import type { Opened } from "./open-link.ts";
import type { Session } from "./session/session.ts";

/**
 * Opens a session over one kind of channel. Fails, or takes for ever: some handshakes neither succeed nor fail.
 * @param signal - aborted when it has lost; never once it has won
 * @param mayProve - resolves when no other attempt can become a session any more unless this one fails
 */
export type Attempt = (
  kind: ChannelKind,
  signal: AbortSignal,
  mayProve: () => Promise<void>,
) => Promise<Opened>;

/** `refused`: it will be so again. */
export type Raced = { link: Session } | { link?: undefined; refused: boolean; reason: string };

/** How long a better kind is tried alone before the next one is tried as well, in milliseconds. */
export const headStart = 3000;
/** How long one kind may take: a slow network, and the relay's own limit for handshakes. */
export const attemptLimit = 15_000;

type Runner = { own: AbortController; timers: (() => void)[]; prove: (() => void) | undefined };

/**
 * Tries each kind, the best first: the next one as soon as the one before has failed, or has had its head start. The
 * first session that is open wins, and the others are given up. A relay that refuses over one kind refuses over all.
 *
 * Of two attempts that are both let in by the relay, the later one would take the place of the other. So they prove
 * who they are one after the other: the second only when the first has failed.
 * @param kinds - best first, at least one
 * @param signal - calls all of it off
 */
export function race(
  kinds: readonly ChannelKind[],
  attempt: Attempt,
  clock: Clock,
  signal: AbortSignal,
): Promise<Raced> {
  return new Promise((resolve) => {
    const runners = new Set<Runner>();
    let proving: Runner | undefined;
    let started = 0;
    let over = false;

    function finish(result: Raced, winner?: Runner): void {
      if (over) return;
      over = true;
      signal.removeEventListener("abort", stop);
      for (const runner of runners) {
        for (const cancel of runner.timers) cancel();
        if (runner !== winner) runner.own.abort(new Error("Another way was faster."));
      }
      resolve(result);
    }

    function stop(): void {
      finish({ refused: false, reason: "Called off." });
    }

    function lose(runner: Runner, reason: string): void {
      if (over || !runners.delete(runner)) return;
      for (const cancel of runner.timers) cancel();
      runner.own.abort(new Error(reason));
      if (proving === runner) {
        proving = [...runners].find(({ prove }) => prove !== undefined);
        proving?.prove?.();
      }
      if (started < kinds.length) startNext();
      else if (runners.size === 0) finish({ refused: false, reason });
    }

    function startNext(): void {
      const kind = kinds[started];
      if (over || kind === undefined) return;
      started++;
      const runner: Runner = { own: new AbortController(), timers: [], prove: undefined };
      runners.add(runner);
      runner.timers.push(
        clock.after(headStart, startNext),
        clock.after(attemptLimit, () => lose(runner, "The relay does not answer.")),
      );
      const mayProve = () =>
        new Promise<void>((prove) => {
          runner.prove = prove;
          proving ??= runner;
          if (proving === runner) prove();
        });
      attempt(kind, runner.own.signal, mayProve).then(
        ({ link, end }) => {
          if (link === undefined) {
            if (end.kind === "refused" && runners.has(runner)) finish({ refused: true, reason: end.reason });
            else lose(runner, end.reason);
          } else if (over || !runners.has(runner)) void link.close("Another session was faster.", 0);
          else finish({ link }, runner);
        },
        (error: unknown) => lose(runner, error instanceof Error ? error.message : String(error)),
      );
    }

    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
    startNext();
  });
}
