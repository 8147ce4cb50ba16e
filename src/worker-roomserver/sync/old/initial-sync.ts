import type { JsonObject } from "../../../matrix/json.ts";
import { jsonBytes } from "../../node/json-bytes.ts";
import type { JsonBytes, Requester } from "../../node/requester.ts";
import type { MembershipInfo } from "../../room/api.ts";
import type { InitialSyncQuery } from "./api.ts";
import type { OldSyncParts } from "./parts.ts";

type Section = {
  timeline: { events: JsonObject[]; prev_batch: string };
  state_after?: { events: JsonObject[] };
  account_data?: { events: JsonObject[] };
};
type FirstSync = {
  next_batch: string;
  presence: { events: JsonObject[] };
  account_data: { events: JsonObject[] };
  rooms: {
    join: Record<string, Section>;
    leave: Record<string, Section>;
    invite: Record<string, JsonObject>;
  };
};

/** A first `/sync` in the form that the old clients know. */
export async function initialSync(
  parts: OldSyncParts,
  requester: Requester,
  { limit, archived }: InitialSyncQuery,
): Promise<JsonBytes> {
  const filter = { room: { include_leave: archived, timeline: { limit }, ephemeral: { types: [] } } };
  const query = {
    filter: JSON.stringify(filter),
    fullState: false,
    setPresence: "offline", // says nothing about whether the user is there
    timeout: 0,
    stateSection: "state_after", // the current state, whatever messages are shown
  } as const;
  const bytes = await parts.sync.sync(requester, query, crypto.randomUUID());
  const sync = JSON.parse(new TextDecoder().decode(bytes)) as FirstSync;
  const infos = new Map(
    (await parts.room.membershipsOf(requester.userId)).map((info) => [info.roomId, info]),
  );
  const rooms = [
    ...Object.entries(sync.rooms.join).map(([roomId, section]) =>
      entered(parts, roomId, "join", section, sync.next_batch),
    ),
    ...Object.entries(sync.rooms.leave).map(([roomId, section]) =>
      entered(parts, roomId, infos.get(roomId)?.membership ?? "leave", section, sync.next_batch),
    ),
    ...Object.keys(sync.rooms.invite).map((roomId) => invited(parts, requester, infos.get(roomId))),
  ];
  return jsonBytes({
    end: sync.next_batch,
    presence: sync.presence.events,
    account_data: sync.account_data.events,
    rooms: (await Promise.all(rooms)).filter((room) => room !== undefined),
  });
}

async function entered(
  { room }: OldSyncParts,
  roomId: string,
  membership: string,
  { timeline, state_after: state, account_data: data }: Section,
  end: string,
): Promise<JsonObject> {
  const inRoom = (event: JsonObject): JsonObject => ({ ...event, room_id: roomId });
  return {
    room_id: roomId,
    membership,
    ...(await room.visibility(roomId)),
    messages: { start: timeline.prev_batch, end, chunk: timeline.events.map(inRoom) },
    state: (state?.events ?? []).map(inRoom),
    account_data: data?.events ?? [],
  };
}

async function invited(
  { room }: OldSyncParts,
  requester: Requester,
  info: MembershipInfo | undefined,
): Promise<JsonObject | undefined> {
  if (info === undefined) return undefined;
  const [invite] = await room.presentEvents([info.event]);
  if (invite === undefined) return undefined;
  return {
    room_id: info.roomId,
    membership: "invite",
    invite: room.clientEvent(invite, requester, "full"),
    state: await room.strippedState(info.room, requester.userId),
  };
}
