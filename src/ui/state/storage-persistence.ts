import { createStore } from "./store.ts";

/** Whether the browser promised to keep this origin's storage when disk space gets short. */
export type Persistence = "unknown" | "asking" | "granted" | "denied" | "unsupported";

export const persistence = createStore<{ value: Persistence }>({ value: "unknown" });

/**
 * Asks the browser to keep the homeserver's storage. Call it on a user gesture, and never wait for it: where
 * the browser shows a prompt, nothing comes back until somebody answers.
 */
export function askToKeepStorage(): void {
  if (!navigator.storage?.persist) {
    persistence.set({ value: "unsupported" });
    return;
  }
  persistence.set({ value: "asking" });
  navigator.storage.persist().then(
    (kept) => persistence.set({ value: kept ? "granted" : "denied" }),
    () => persistence.set({ value: "unsupported" }),
  );
}

/** Looks up what was promised earlier, without asking. */
export function readPersistence(): void {
  navigator.storage?.persisted?.().then(
    (kept) => kept && persistence.set({ value: "granted" }),
    () => persistence.set({ value: "unsupported" }),
  );
}
