/** Well within the shortest time after which a browser stops a service worker: 30 seconds. */
const everyMs = 10_000;

/**
 * Keeps the service worker alive while it says that it is busy: browsers stop it for idleness even with an
 * answer pending, and only an event counts as work.
 * @param ping - sends it an event
 */
export function keepAwake(ping: () => void): { busy(): void; idle(): void } {
  let timer: ReturnType<typeof setInterval> | undefined;
  return {
    busy() {
      timer ??= setInterval(ping, everyMs);
    },
    idle() {
      clearInterval(timer);
      timer = undefined;
    },
  };
}
