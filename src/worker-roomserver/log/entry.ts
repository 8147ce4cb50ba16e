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
] as const;

/**
 * One entry of the log, and what a reader must do on it.
 * - `room`: an event was taken into `room`'s timeline as `event`. `user` is the member that it is about when
 *   it is a member event, else 0. Sync shows it, push counts it, the federation sender sends it.
 * - `receipt`: `user` moved a marker in `room`; `detail` is the receipt type.
 * - `typing`: who types in `room` has changed. Who it is stands in memory only; `detail` is "" when it is nobody.
 * - `presence`: the presence of `user` has changed.
 * - `accountData`: `user`'s account data of type `detail` has changed, in `room` if that is not 0.
 * - `profile`: the field `detail` of `user`'s profile has changed, or all of it is gone (""). The room server brings
 *   the user's member events up to date.
 * - `toDevice`, `deviceList`, `media`: kept for the components of those names.
 */
export type LogEntry = {
  topic: (typeof TOPICS)[number];
  room: Nid;
  user: Nid;
  event: EventNid;
  detail: string;
};
export type PositionedEntry = LogEntry & { position: Position };

const codes = new Map(TOPICS.map((topic, code) => [topic, code]));

export function entryToRow(entry: LogEntry): LogRow {
  return [codes.get(entry.topic)!, entry.room, entry.user, entry.event, entry.detail];
}

export function rowToEntry(position: Position, row: LogRow): PositionedEntry {
  const topic = TOPICS[row[0]];
  if (topic === undefined) throw new Error(`log entry ${position} has the unknown topic ${row[0]}`);
  return { topic, room: row[1], user: row[2], event: row[3], detail: row[4], position };
}
