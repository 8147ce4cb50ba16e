import type { Egress } from "../egress/api.ts";
import { later, lazily, lazySteps, once } from "../node/later.ts";
import type { Inbox, Relays } from "./api.ts";
import type { RelaysOptions } from "./relays.ts";

const relaysModule = later(() => import("./relays.ts"));

/** The component before it is loaded, which only a node with relays needs, and only once it is open. */
export type LazyRelays = {
  relays: Relays;
  /** Connects to the relays that are known. Loads nothing where there are none. */
  start(): Promise<void>;
  /** Goes over a relay where one is connected, else as `direct` does. */
  egress(direct: Egress): Egress;
  inbox: Inbox;
  /** A removal for the compactor. */
  dropOldMail(): AsyncGenerator<void>;
  close(): void;
};

export function openRelays(options: RelaysOptions): LazyRelays {
  let opened: Awaited<ReturnType<typeof open>> | undefined;
  let isClosed = false;
  const open = async () => (await relaysModule()).StoredRelays.open(options);
  const whole = once(async () => {
    opened = await open();
    if (isClosed) opened.close();
    return opened;
  });
  const isAny = async () => (await options.storage.getAllKeys("relays", undefined, 1)).length > 0;
  return {
    relays: lazily<Relays>(whole, {
      // Who has no relay has no code for them loaded, as the page asks for these.
      states: async () => (opened !== undefined || (await isAny()) ? (await whole()).states() : []),
      setAsleep: async (asleep: boolean) => opened?.setAsleep(asleep),
      knowsMark: async (mark: string) => (await opened?.knowsMark(mark)) === true,
    }),
    start: async () => {
      if (await isAny()) await whole();
    },
    inbox: lazily<Inbox>(async () => (await whole()).inbox),
    dropOldMail: () => lazySteps(async () => (await whole()).inbox.dropOld()),
    egress: (direct) => ({
      fetch: async (target, request) =>
        (await opened?.egress(target, request)) ?? direct.fetch(target, request),
    }),
    close: () => {
      isClosed = true;
      opened?.close();
    },
  };
}
