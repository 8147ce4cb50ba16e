import type { Documents } from "./documents/api.ts";
import type { RelayParts } from "./parts.ts";

/** The parts that the relay is put together from, as it runs. */
export const relayParts: RelayParts = {
  openStorage: async () => ({
    documents: forgetful(),
    checks: {},
    close: async () => undefined,
  }),
  openNodes: async () => ({
    link: async () => undefined,
    ingress: async () => undefined,
    quic: async (at) => ({ address: at, close: async () => undefined }),
    local: async () => undefined,
    needsWaking: async () => false,
    checks: {},
    close: async () => undefined,
  }),
};

/** Documents that are gone with the process. */
function forgetful(): Documents {
  const kept = new Map<string, Map<string, unknown>>();
  const of = (kind: string) => kept.get(kind) ?? kept.set(kind, new Map()).get(kind) ?? new Map();
  return {
    read: async <T>(kind: string, key: string) => of(kind).get(key) as T | undefined,
    async change(kind, key, change) {
      const made = change(of(kind).get(key));
      if ("to" in made) of(kind).set(key, made.to);
      return made.result;
    },
    list: async (kind, after, limit) =>
      [...of(kind).keys()]
        .filter((key) => key > after)
        .sort()
        .slice(0, limit),
  };
}
