import type { RoomQueries } from "./api.ts";
import { authChain } from "./auth-chain.ts";
import { backfill } from "./backfill.ts";
import { durable } from "./durable.ts";
import { eventNear } from "./event-near.ts";
import { isServerAllowed } from "./is-server-allowed.ts";
import { joinedState } from "./joined-state.ts";
import { knownRoom } from "./known-room.ts";
import { latest } from "./latest.ts";
import { memberTemplate } from "./member-template.ts";
import { membershipAt } from "./membership-at.ts";
import { missingEvents } from "./missing-events.ts";
import type { GraphParts } from "./parts.ts";
import { restrictedJoin } from "./restricted-join.ts";
import { isServerIn, serversIn } from "./servers-in.ts";
import { sharedRooms } from "./shared-rooms.ts";
import { stateAt } from "./state-at.ts";
import { stateBefore, stateIdsAt } from "./state-ids-at.ts";
import { texts } from "./texts.ts";
import { visibleToServer } from "./visible-to-server.ts";

type Question<A extends unknown[], R> = (parts: GraphParts, ...args: A) => Promise<R>;

/** Answers questions on the rooms' graphs, each once what the answer rests on is on the disk. */
export function roomQueries(parts: GraphParts): RoomQueries {
  const answered =
    <A extends unknown[], R>(question: Question<A, R>) =>
    (...args: A): Promise<R> =>
      durable(parts.storage, () => question(parts, ...args));
  return {
    latest: answered(latest),
    stateAt: answered(stateAt),
    stateIdsAt: answered(stateIdsAt),
    stateBefore: answered(stateBefore),
    texts: answered(texts),
    versionOf: answered(async (these, roomId: string) => (await knownRoom(these, roomId)).rules.id),
    membershipAt: answered(membershipAt),
    authChain: answered(authChain),
    eventsById: answered(({ events }, eventIds) => events.byIds(eventIds)),
    missingEvents: answered(missingEvents),
    backfill: answered(backfill),
    eventNear: answered(eventNear),
    visibleToServer: answered(visibleToServer),
    serversIn: answered(serversIn),
    isServerIn: answered(isServerIn),
    sharedRooms: answered(sharedRooms),
    // Asked for each PDU: it does not wait for what is being written.
    isServerAllowed: (roomId, serverName) => isServerAllowed(parts, roomId, serverName),
    restrictedJoin: answered(restrictedJoin),
    memberTemplate: answered(memberTemplate),
    joinedState: answered(joinedState),
  };
}
