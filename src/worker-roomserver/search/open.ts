import type { Search } from "./api.ts";
import type { SearchOptions } from "./options.ts";
import type { RoomSearch } from "./search.ts";

/** Who has just opened the page waits for other things than its index. */
const CALM_MS = 10_000;

/**
 * Search is loaded when somebody searches, or some seconds after the node has opened: from then on its index follows the
 * log.
 */
export function openSearch(options: SearchOptions): Search & { close(): void } {
  let loading: Promise<RoomSearch> | undefined;
  let isClosed = false;
  const load = () => {
    loading ??= import("./search.ts").then((module) => {
      const search = new module.RoomSearch(options);
      if (isClosed) search.close();
      return search;
    });
    loading.catch(() => {
      loading = undefined; // a part of the page that could not be loaded may be there the next time
    });
    return loading;
  };
  const timer = setTimeout(() => {
    load().catch((error: unknown) =>
      console.error("hearth: the index for search could not be loaded", error),
    );
  }, CALM_MS);
  return {
    roomEvents: async (...request) => (await load()).roomEvents(...request),
    close: () => {
      isClosed = true;
      clearTimeout(timer);
      // Of one that could not be loaded there is nothing to close.
      loading?.then(
        (search) => search.close(),
        () => undefined,
      );
    },
  };
}
