import type { RoomForReaders } from "../room/api.ts";
import type { Nid } from "../storage/schema.ts";
import type { Readers } from "./readers.ts";
import type { Span } from "./span.ts";
import { roomsOf, type UserRoom } from "./user-rooms.ts";

/** User ids, each once. */
export type DeviceLists = {
  /** Whose devices are to be looked up anew: they have changed, or they have come to share a room with the user. */
  changed: string[];
  /** With whom the user shares no room any more. */
  left: string[];
};

/** What is known of the span already: see `Changes`. */
export type ListNews = {
  membersOf: ReadonlySet<Nid> | undefined;
  deviceLists: boolean;
  /** Users who share a room with the user at its end. */
  sharing: ReadonlySet<string>;
};

/** Changes of a room's state that are read one by one. Of more, all members are taken for new. */
const READ_SINGLY = 1_000;

/**
 * Whose devices a user has to look up anew after a span, and whose need not be known any more. Somebody may be named
 * without need, where finding out would cost more than looking up: who is in a room that has changed a lot, and whose
 * keys have changed once more past the span.
 *
 * Reads a row for each user whose keys have changed. For each room with members who came or went: two snapshots, and
 * at most 2,000 events; nothing for the others.
 * @see https://spec.matrix.org/v1.19/client-server-api/#tracking-the-device-list-for-a-user
 */
export async function deviceLists(
  readers: Pick<Readers, "room" | "keys">,
  userId: string,
  span: Span,
  { membersOf, deviceLists: mayHaveChanged, sharing }: ListNews,
): Promise<DeviceLists> {
  const isKnown = (other: string) => other === userId || sharing.has(other);
  const [keys, moves] = await Promise.all([
    mayHaveChanged ? readers.keys.changedLists(userId, span.since) : new Set<string>(),
    membersOf?.size === 0 ? noMoves : movesIn(readers.room, userId, span, membersOf),
  ]);
  const come = [...moves.come].filter((other) => other !== userId);
  return {
    changed: [...new Set([...(keys ?? [userId, ...sharing]), ...come])].filter(isKnown),
    left: [...moves.gone].filter((other) => !isKnown(other)),
  };
}

/** Users who were not in a room together with the user before, but are now; and the other way round. */
type Moves = { come: ReadonlySet<string>; gone: ReadonlySet<string> };
const noMoves: Moves = { come: new Set(), gone: new Set() };

async function movesIn(
  rooms: RoomForReaders,
  userId: string,
  span: Span,
  membersOf: ReadonlySet<Nid> | undefined,
): Promise<Moves> {
  const all = await roomsOf(rooms, { userId, ...span, includeLeave: false, wants: () => true });
  const moved = all.filter(({ room }) => membersOf?.has(room) ?? true);
  const found = await Promise.all(moved.map((room) => moves(rooms, room, span, userId)));
  return {
    come: new Set(found.flatMap(({ come }) => [...come])),
    gone: new Set(found.flatMap(({ gone }) => [...gone])),
  };
}

async function moves(rooms: RoomForReaders, userRoom: UserRoom, span: Span, userId: string): Promise<Moves> {
  const { room, section } = userRoom;
  const isIn = section === "join";
  const wasIn = await wasInAtStart(rooms, userRoom, span, userId);
  if (isIn && wasIn) return (await moversIn(rooms, room, span)) ?? everybodyIn(rooms, room);
  if (isIn) return { come: new Set(await rooms.usersIn(room, "join")), gone: new Set() };
  if (!wasIn) return noMoves;
  const [others, movers] = await Promise.all([rooms.usersIn(room, "join"), moversIn(rooms, room, span)]);
  // Who came within the span was never shared a room with through this one.
  const stayed = others.filter((other) => !movers?.come.has(other));
  const { gone } = movers ?? (await everybodyIn(rooms, room));
  return { come: new Set(), gone: new Set([...stayed, ...gone]) };
}

/** Whether the user was in a room when the span began: one may have left since, and be invited again. */
async function wasInAtStart(
  rooms: RoomForReaders,
  userRoom: UserRoom,
  span: Span,
  userId: string,
): Promise<boolean> {
  if (userRoom.section === "join" || userRoom.section === "leave") return !userRoom.entered;
  return wasJoined(rooms, await rooms.snapshotAt(userRoom.room, span.since), userId);
}

/** Who has entered and who has left a room between two positions; undefined where that is too much to read. */
async function moversIn(rooms: RoomForReaders, room: Nid, { since, upTo }: Span): Promise<Moves | undefined> {
  const [from, to] = await Promise.all([rooms.snapshotAt(room, since), rooms.snapshotAt(room, upTo)]);
  if (from === to) return noMoves;
  const changes = await rooms.stateChanges(from, to);
  if (changes.length > READ_SINGLY) return undefined;
  const members = (await rooms.events(changes)).filter(({ pdu }) => pdu.type === "m.room.member");
  const come = new Set<string>();
  const gone = new Set<string>();
  await Promise.all(
    members.map(async ({ pdu }) => {
      const member = String(pdu.state_key);
      const isIn = pdu.content.membership === "join";
      if (isIn === (await wasJoined(rooms, from, member))) return;
      (isIn ? come : gone).add(member);
    }),
  );
  return { come, gone };
}

async function wasJoined(rooms: RoomForReaders, snapshot: number, userId: string): Promise<boolean> {
  const nid = await rooms.stateEntry(snapshot, "m.room.member", userId);
  const [event] = nid === undefined ? [] : await rooms.events([nid]);
  return event?.pdu.content.membership === "join";
}

async function everybodyIn(rooms: RoomForReaders, room: Nid): Promise<Moves> {
  const [joined, left, banned] = await Promise.all(
    (["join", "leave", "ban"] as const).map((membership) => rooms.usersIn(room, membership)),
  );
  return { come: new Set(joined), gone: new Set([...left!, ...banned!]) };
}
