/** Values that are asked for once at a time, and kept for as long as each says. */
export type Cache<T> = {
  /** @param load - says how long its value is kept, in milliseconds. What it throws is not kept. */
  get(key: string, load: (before: T | undefined) => Promise<{ value: T; keep: number }>): Promise<T>;
};

/** @param limit - entries; the ones that were made first go first */
export function openCache<T>(limit: number, now: () => number): Cache<T> {
  const kept = new Map<string, { value: T; until: number }>();
  const underWay = new Map<string, Promise<T>>();

  async function load(key: string, make: (before: T | undefined) => Promise<{ value: T; keep: number }>) {
    const { value, keep } = await make(kept.get(key)?.value);
    kept.delete(key);
    kept.set(key, { value, until: now() + keep });
    const [oldest] = kept.keys();
    if (kept.size > limit && oldest !== undefined) kept.delete(oldest);
    return value;
  }

  return {
    get(key, make) {
      const there = kept.get(key);
      if (there !== undefined && now() < there.until) return Promise.resolve(there.value);
      const running = underWay.get(key);
      if (running !== undefined) return running;
      const loading = load(key, make).finally(() => underWay.delete(key));
      underWay.set(key, loading);
      return loading;
    },
  };
}
