import { domainOf } from "../../../matrix/domain.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import type { RoomVersionRules } from "../../../matrix/room-versions.ts";
import type { KeyRing } from "../api.ts";
import { type Later, within } from "./within.ts";

/** Events by what their signatures are. `unknown`: no key could be had in time, so that they may be good after all. */
export type SignedEvents = {
  good: ReceivedEvent[];
  bad: { event: ReceivedEvent; why: string }[];
  unknown: ReceivedEvent[];
};

/**
 * Sorts events by their signatures. What only the server that has sent them needs to have signed does not wait for the
 * keys of others.
 * @param ms - milliseconds that keys may take to be found
 */
export async function sortBySignature(
  keyRing: Pick<KeyRing, "checkEvents">,
  later: Later,
  {
    events,
    rules,
    origin,
    ms,
  }: {
    events: readonly ReceivedEvent[];
    rules: RoomVersionRules;
    origin: string;
    ms: number;
  },
): Promise<SignedEvents> {
  const isOwn = ({ pdu }: ReceivedEvent) =>
    domainOf(pdu.sender) === origin && pdu.content.join_authorised_via_users_server === undefined;
  const sorted: SignedEvents = { good: [], bad: [], unknown: [] };
  const check = async (group: readonly ReceivedEvent[]) => {
    if (group.length === 0) return;
    const found = await within(
      keyRing.checkEvents(group, rules, origin === "" ? undefined : origin),
      ms,
      later,
    );
    for (const [i, event] of group.entries()) {
      const objection = found === undefined ? { why: "", unknown: true } : found[i];
      if (objection === undefined) sorted.good.push(event);
      else if (objection.unknown) sorted.unknown.push(event);
      else sorted.bad.push({ event, why: objection.why });
    }
  };
  await Promise.all([check(events.filter(isOwn)), check(events.filter((event) => !isOwn(event)))]);
  return sorted;
}
