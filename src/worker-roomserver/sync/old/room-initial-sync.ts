import type { JsonObject } from "../../../matrix/json.ts";
import { jsonBytes } from "../../node/json-bytes.ts";
import type { JsonBytes, Requester } from "../../node/requester.ts";
import type { OldSyncParts } from "./parts.ts";

/** As many messages as other servers show. */
const MESSAGES = 20;

/** One room, for who is or was in it, or looks into it from outside. */
export async function roomInitialSync(
  { room, accountData, storage }: OldSyncParts,
  requester: Requester,
  roomId: string,
): Promise<JsonBytes> {
  const { userId } = requester;
  const nid = await room.readable(requester, roomId);
  const [info, page, state, visibility, data] = await Promise.all([
    room.membershipOf(userId, nid),
    room.messages(requester, roomId, { dir: "b", limit: MESSAGES, filter: {} }),
    room.state(requester, roomId),
    room.visibility(roomId),
    accountData.changed(userId, 0, storage.position),
  ]);
  const { start, end, chunk } = read<{ start: string; end?: string; chunk: JsonObject[] }>(page);
  return jsonBytes({
    room_id: roomId,
    ...(info !== undefined && { membership: info.membership }),
    ...visibility,
    // That page goes backwards: what it calls its start is the newest.
    messages: { ...(end !== undefined && { start: end }), end: start, chunk: chunk.reverse() },
    state: read<JsonObject[]>(state),
    account_data: data
      .filter((each) => each.roomId === roomId)
      .map(({ type, content }) => ({ type, content })),
  });
}

const read = <T>(bytes: JsonBytes): T => JSON.parse(new TextDecoder().decode(bytes)) as T;
