import { EgressFailure } from "./failure.ts";

/** Ends an exchange that takes too long, all of it or without a byte, or that nobody wants any more. */
export type Watch = {
  /** Aborted with an EgressFailure. */
  readonly signal: AbortSignal;
  /** What has ended it, if anything has. */
  failure(): EgressFailure | undefined;
  /** The other side has shown that it is alive: the time of silence begins anew. */
  heard(): void;
  /** It is not the other side that is waited for: silence does not count until something is heard. */
  pause(): void;
  /** To be called at the end, however it ended. */
  over(): void;
};

/** @param times - milliseconds, as in PurposeRules */
export function startWatch(times: { total: number; silence: number }, wanted: AbortSignal): Watch {
  const stop = new AbortController();
  const late = (what: string) => () => stop.abort(new EgressFailure("timeout", what));
  const unwanted = () => stop.abort(new EgressFailure("broken", "The request was given up."));
  const total = setTimeout(late("The other server took too long."), times.total);
  let silence: ReturnType<typeof setTimeout> | undefined;
  const pause = () => clearTimeout(silence);
  const heard = () => {
    pause();
    if (!stop.signal.aborted) silence = setTimeout(late("The other server fell silent."), times.silence);
  };
  if (wanted.aborted) unwanted();
  else wanted.addEventListener("abort", unwanted, { once: true });
  heard();
  return {
    signal: stop.signal,
    failure: () => (stop.signal.aborted ? (stop.signal.reason as EgressFailure) : undefined),
    heard,
    pause,
    over() {
      clearTimeout(total);
      pause();
      wanted.removeEventListener("abort", unwanted);
      // No timer may start after the end.
      if (!stop.signal.aborted) stop.abort(new EgressFailure("broken", "The exchange is over."));
    },
  };
}
