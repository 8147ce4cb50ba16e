/** Calls after so many milliseconds. @returns how to keep it from that */
export type Later = (ms: number, call: () => void) => () => void;

/** What a promise comes to, or undefined if that takes too long: then it goes on, and nobody asks for it. */
export async function within<T>(promise: Promise<T>, ms: number, later: Later): Promise<T | undefined> {
  let stop: () => void = () => undefined;
  const tooLate = new Promise<undefined>((resolve) => {
    stop = later(ms, () => {
      promise.catch(() => undefined);
      resolve(undefined);
    });
  });
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    stop();
  }
}
