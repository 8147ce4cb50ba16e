import { domainOf } from "../../../../matrix/domain.ts";
import type { EventNid } from "../../../storage/schema.ts";
import type { StoredEvent } from "../../api.ts";
import type { SnapshotChain } from "../../snapshots.ts";
import { heroesIn } from "../heroes.ts";
import type { JoinedState } from "./api.ts";
import { stateAuthChain } from "./auth-chain.ts";
import { entriesOf } from "./entries.ts";
import { eventInState, type KnownRoom, knownRoom } from "./known-room.ts";
import type { GraphParts } from "./parts.ts";

/** What a server gets to know of a room that it joins. */
export async function joinedState(
  parts: GraphParts,
  roomId: string,
  eventId: string,
  { omitMembers }: { omitMembers: boolean },
): Promise<JoinedState> {
  const [room, join] = await Promise.all([knownRoom(parts, roomId), eventInState(parts, roomId, eventId)]);
  const before = await parts.snapshots.chain(join.stateBefore);
  const state = omitMembers ? await withoutMembers(parts, before, join) : before.entries();
  const chain = await stateAuthChain(parts, room, [...state, join.nid]);
  const given = new Set(omitMembers ? state : []);
  return {
    state: state.toSorted((a, b) => a - b),
    authChain: chain.filter((nid) => !given.has(nid)),
    servers: await otherServers(parts, room, join),
  };
}

/** As the joining server cannot name a room that has no name without some of its members, it gets these. */
async function withoutMembers(
  parts: GraphParts,
  before: SnapshotChain,
  { pdu }: StoredEvent,
): Promise<EventNid[]> {
  const userId = pdu.state_key ?? "";
  const member = await parts.storage.names.find("m.room.member");
  const state = before.entries((type) => type !== member);
  const names = await entriesOf(parts, before, [
    ["m.room.name", ""],
    ["m.room.canonical_alias", ""],
  ]);
  const heroes =
    names.length > 0
      ? []
      : await heroesIn(
          parts,
          before.entries((type) => type === member),
          userId,
        );
  const wanted = [userId, ...heroes].map((key) => ["m.room.member", key] as const);
  return [...new Set([...state, ...(await entriesOf(parts, before, wanted))])];
}

async function otherServers(parts: GraphParts, { nid }: KnownRoom, { pdu }: StoredEvent): Promise<string[]> {
  const servers = new Set<string>();
  for (const userId of await parts.memberships.joined(nid)) {
    const server = userId === pdu.state_key ? undefined : domainOf(userId);
    if (server !== undefined) servers.add(server);
  }
  return [...servers].sort();
}
