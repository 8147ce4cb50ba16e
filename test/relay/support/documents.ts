import type { Documents } from "../../../src/relay/documents/api.ts";

/** Documents in memory. */
export function memoryDocuments(): Documents {
  const kept = new Map<string, string>();
  const at = (kind: string, key: string) => `${kind} ${key}`;
  const get = (place: string) => {
    const text = kept.get(place);
    return text === undefined ? undefined : JSON.parse(text);
  };
  return {
    read: async (kind, key) => get(at(kind, key)),
    async change(kind, key, change) {
      const place = at(kind, key);
      const made = change(get(place));
      if ("to" in made) {
        if (made.to === undefined) kept.delete(place);
        else kept.set(place, JSON.stringify(made.to));
      }
      return made.result;
    },
    async list(kind, after, limit) {
      const keys = [...kept.keys()].filter((place) => place.startsWith(`${kind} `));
      return keys
        .map((place) => place.slice(kind.length + 1))
        .filter((key) => key > after)
        .sort()
        .slice(0, limit);
    },
  };
}
