import type { WhileLoggedIn } from "../users/api.ts";
import type { Sync } from "./api.ts";

/** The same sync, of which nobody hears anything whose session has ended. */
export function endingWithSession(sync: Sync, whileLoggedIn: WhileLoggedIn): Sync {
  const cancel = (call: string) => sync.cancel(call);
  return {
    sync: (requester, query, call) =>
      whileLoggedIn(
        requester,
        () => sync.sync(requester, query, call),
        () => void cancel(call),
      ),
    sliding: (requester, query, call) =>
      whileLoggedIn(
        requester,
        () => sync.sliding(requester, query, call),
        () => void cancel(call),
      ),
    waiting: () => sync.waiting(),
    deviceLists: (requester, from, to) => sync.deviceLists(requester, from, to),
    cancel,
  };
}
