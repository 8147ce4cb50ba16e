import type { EventNid, LogRow, Nid, Position } from "../storage/schema.ts";

/** The topics of the log. Their numbers are stored: only ever append. */
export const TOPICS = [
  "room",
  "receipt",
  "typing",
  "presence",
  "accountData",
  "profile",
  "toDevice",
  "deviceList",
  "media",
  "state",
  "purge",
  "history",
  "mail",
  "session",
] as const;

/**
 * One entry of the log, and what a reader must do on it.
 * - `room`: an event was taken into `room`'s timeline as `event`. `user` is the member that it is about when
 *   it is a member event, else 0. Sync shows it, push counts it, the federation sender sends it: those of local users, and
 *   of others where `detail` is PASS_ON.
 * - `state`: the current state of `room` has changed by more than the event of the next `room` entry, which came with
 *   others' that were not known here: `event` is what stands there now, 0 for an entry that is gone. `user` as above.
 * - `receipt`: `user` moved a marker in `room`; `detail` is the receipt type.
 * - `typing`: who types in `room` has changed. Who it is stands in memory only; `detail` is "" when it is nobody.
 * - `presence`: the presence of `user` has changed.
 * - `accountData`: `user`'s account data of type `detail` has changed, in `room` if that is not 0.
 * - `profile`: the field `detail` of `user`'s profile has changed, or all of it is gone (""). The room server brings
 *   the user's member events up to date.
 * - `purge`: all that this server knew of `room` is being removed: who keeps something of it drops that. Earlier entries
 *   name events that are gone now. `user` is somebody of this server who was or had been in it; there is an entry for
 *   each of them, and one with 0 where there is nobody.
 * - `toDevice`: a message waits for the device `detail` of `user`, under this position; with no user, for the server
 *   `detail`, to which the federation sender sends it. Sync gives it to that device alone.
 * - `history`: an event of earlier has been put into the timeline of `room`, as `event`. It changes nothing of where the
 *   room stands; search takes it in.
 * - `deviceList`: keys of `user` have changed; `detail` says which, and so whom it concerns: see key-changes.ts.
 * - `session`: sessions of `user`, or those of their device `detail`, have ended or may do less from now on; without a user,
 *   those of an application service. Who answers for one asks what has become of it (users/held-requests.ts).
 * - `media`: kept for the component of that name.
 * - `mail`: a transaction of another server has come, and waits in the inbox under this position. `detail` is the server.
 */
export type LogEntry = {
  topic: (typeof TOPICS)[number];
  room: Nid;
  user: Nid;
  event: EventNid;
  detail: string;
};
/** `detail` of a `room` entry: another server's event that came to this one to be handed to all others in the room. */
export const PASS_ON = "passOn";

export type PositionedEntry = LogEntry & { position: Position };

const codes = new Map(TOPICS.map((topic, code) => [topic, code]));

/** Entries that follow one another without a gap, as they are stored; the row's key is the last one's position. */
export function entriesToRow(entries: readonly LogEntry[]): LogRow {
  return entries.map(({ topic, room, user, event, detail }) => [
    codes.get(topic)!,
    room,
    user,
    event,
    detail,
  ]);
}

export function rowToEntries(last: Position, row: LogRow): PositionedEntry[] {
  const first = last - row.length + 1;
  return row.map(([code, room, user, event, detail], i) => {
    const topic = TOPICS[code];
    if (topic === undefined) throw new Error(`log entry ${first + i} has the unknown topic ${code}`);
    return { topic, room, user, event, detail, position: first + i };
  });
}
