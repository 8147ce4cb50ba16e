import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import type { EventNid } from "../../storage/schema.ts";
import type { FederationContext } from "../context.ts";
import { WrittenJson } from "../door/endpoint.ts";

/** Events read at a time: a large room's would fill the memory, and who asks may be slow to take them. */
const READ_TOGETHER = 100;

export type JoinAnswerContext = Pick<FederationContext, "roomQueries" | "room">;

/**
 * The answer to a join: the room's state before it, and all that authorises that.
 * @param how.isFirstForm - as the first version of the endpoint has it: in a pair with a status
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_joinroomideventid
 */
export async function joinAnswer(
  { roomQueries, room }: JoinAnswerContext,
  { eventId, pdu }: ReceivedEvent,
  { omitMembers, isFirstForm }: { omitMembers: boolean; isFirstForm: boolean },
): Promise<WrittenJson> {
  const { room_id: roomId = "" } = pdu;
  const { state, authChain, servers } = await roomQueries.joinedState(roomId, eventId, { omitMembers });
  const head = { event: pdu, members_omitted: omitMembers, ...(omitMembers && { servers_in_room: servers }) };
  async function* pieces(): AsyncGenerator<string> {
    yield `${isFirstForm ? "[200," : ""}${JSON.stringify(head).slice(0, -1)},"state":[`;
    yield* texts(room, state);
    yield '],"auth_chain":[';
    yield* texts(room, authChain);
    yield isFirstForm ? "]}]" : "]}";
  }
  return new WrittenJson(pieces());
}

async function* texts(
  room: Pick<FederationContext["room"], "events">,
  nids: readonly EventNid[],
): AsyncGenerator<string> {
  for (let at = 0; at < nids.length; at += READ_TOGETHER) {
    const events = await room.events(nids.slice(at, at + READ_TOGETHER));
    const text = events.map(({ pdu }) => JSON.stringify(pdu)).join(",");
    yield at === 0 ? text : `,${text}`;
  }
}
