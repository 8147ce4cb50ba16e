import { useEffect, useReducer } from "react";

type Emitter = {
  on(event: string, listener: (...details: unknown[]) => void): unknown;
  off(event: string, listener: (...details: unknown[]) => void): unknown;
};

/**
 * Renders again after any of an emitter's events, once for those that come together.
 * @param emitter - a MatrixClient, or anything that emits like one
 * @param events - must be the same array at every rendering
 * @param concerns - tells from an event's details whether it matters here; by default every one does
 */
export function useEvents(
  emitter: object,
  events: readonly string[],
  concerns?: (...details: unknown[]) => boolean,
): number {
  const [version, bump] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const source = emitter as Emitter;
    let scheduled: ReturnType<typeof setTimeout> | undefined;
    const onEvent = (...details: unknown[]) => {
      if (scheduled !== undefined || (concerns && !concerns(...details))) return;
      scheduled = setTimeout(() => {
        scheduled = undefined;
        bump();
      }, 0);
    };
    for (const event of events) source.on(event, onEvent);
    // Something may have happened between the rendering and this moment.
    bump();
    return () => {
      clearTimeout(scheduled);
      for (const event of events) source.off(event, onEvent);
    };
  }, [emitter, events, concerns]);
  return version;
}
