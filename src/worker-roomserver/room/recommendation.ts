import { domainOf } from "../../matrix/domain.ts";
import { checkEventSize } from "../../matrix/event-format.ts";
import { needsRecommendation, policyServerIn } from "../../matrix/policy-server.ts";
import type { PolicySigner } from "../federation/policy/api.ts";
import type { Memberships } from "./memberships.ts";
import type { PlannedEvent } from "./plan.ts";
import type { RoomHead } from "./room-head.ts";

export type RecommendationParts = {
  memberships: Pick<Memberships, "joined">;
  /** Absent: there are no other servers. */
  policies?: PolicySigner;
};

/**
 * Has a room's policy server sign what is about to be written there, where the room has one: the events are the same but
 * for that signature. Costs one look at the room's state, from memory; and where there is a policy server a request for
 * each event, for which the room waits.
 * @throws MatrixError as PolicySigner does: then nothing is to be written
 * @see https://spec.matrix.org/v1.19/server-server-api/#policy-servers
 */
export async function recommended(
  { memberships, policies }: RecommendationParts,
  head: RoomHead,
  events: readonly PlannedEvent[],
): Promise<readonly PlannedEvent[]> {
  const server = policyServerIn((await head.state("m.room.policy", ""))?.pdu.content);
  if (policies === undefined || server === undefined) return events;
  if (!hasUserOf(await memberships.joined(head.nid), server.via)) return events;
  const signed: PlannedEvent[] = [];
  for (const planned of events) {
    if (!needsRecommendation(planned.pdu)) signed.push(planned);
    else {
      const pdu = await policies.sign(planned.pdu, head.rules.id, server);
      const json = JSON.stringify(pdu);
      checkEventSize(json);
      signed.push({ ...planned, pdu, json });
    }
  }
  return signed;
}

function hasUserOf(userIds: Iterable<string>, serverName: string): boolean {
  for (const userId of userIds) if (domainOf(userId) === serverName) return true;
  return false;
}
