/*
 * Code that the homeserver opens without. It is loaded when it is first needed, or a while after opening: by then the
 * page may have been replaced on its server by a newer version, and be open for days yet.
 */

const known = new Set<() => Promise<unknown>>();

/** Does something once, however often it is asked for; when it fails, the next call tries again. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

/** A module that is loaded later. @param load - an `import()` */
export function later<M>(load: () => Promise<M>): () => Promise<M> {
  const loaded = once(load);
  known.add(loaded);
  return loaded;
}

/** Loads all that is not loaded yet, one after the other. @throws what the first of them fails with */
export async function loadAllLater(): Promise<void> {
  for (const load of known) await load();
}

/**
 * An object in place of one that is only made when one of its methods is first called. They all return promises, so that
 * no caller can tell.
 * @param whole - gives the object, the same each time
 * @param others - methods that do not return promises
 */
export function lazily<T extends object, O extends object = object>(
  whole: () => Promise<T>,
  others = {} as O,
): T & O {
  return new Proxy(others as T & O, {
    get: (_, name) => {
      if (Object.hasOwn(others, name)) return Reflect.get(others, name);
      // Whoever awaits the object must not take it for a promise.
      if (name === "then") return undefined;
      return async (...args: unknown[]) => {
        const component = await whole();
        const method = Reflect.get(component, name) as (...args: unknown[]) => Promise<unknown>;
        return method.apply(component, args);
      };
    },
  });
}

/** The same for what is gone through step by step. */
export async function* lazySteps(steps: () => Promise<AsyncGenerator<void>>): AsyncGenerator<void> {
  yield* await steps();
}
