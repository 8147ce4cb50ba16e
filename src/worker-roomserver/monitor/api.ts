import type { LogEntry } from "../log/entry.ts";
import type { Position } from "../storage/schema.ts";

export type Statistics = {
  /** When this leader has begun: milliseconds since 1970. */
  started_ts: number;
  epoch: number;
  /** Of the database. */
  schema_version: number;
  rooms: number;
  /** Events of all rooms that are known here. */
  events: number;
  devices: number;
  /** Pieces of media, of this server and of others. */
  media: number;
  /** What the browser says of the space that it gives to the page's origin, in bytes; absent where it says nothing. */
  storage?: { used: number; granted: number };
};

/** Somebody who follows the log and keeps how far they have come. */
export type LogReader = { name: string; offset: Position; lag: number };

export type LogStatus = {
  /** The newest position. */
  end: Position;
  /** The log holds every entry after this. */
  start: Position;
  /** By name. What nobody reads any more can be trimmed up to the lowest offset. */
  readers: LogReader[];
  /** Syncs that wait for something new. */
  waiting_syncs: number;
};

/** An entry of the log, with names in place of numbers: see log/entry.ts for what each topic means. */
export type NamedEntry = {
  position: Position;
  topic: LogEntry["topic"];
  room_id?: string;
  user_id?: string;
  /** Absent where the event has been purged. */
  event_id?: string;
  detail?: string;
};

export type LogQuery = {
  /** Entries after this are given. */
  after: Position;
  /** 1 to 500. */
  limit: number;
  topic?: LogEntry["topic"] | undefined;
  /** Milliseconds to wait where there is none; the caller has capped it. */
  timeout: number;
};

export type LogPage = {
  entries: NamedEntry[];
  /** Where to go on: the log has been looked through up to there. */
  next: Position;
  /** Whether entries between `after` and the first that could be given have been trimmed. */
  trimmed: boolean;
};

/** How the node itself is, for its owner: nothing here asks who calls. */
export interface Monitor {
  /** Counts keys of the stores: some milliseconds for each hundred thousand events. */
  statistics(): Promise<Statistics>;
  /** One row for each reader. */
  logStatus(): Promise<LogStatus>;
  /**
   * A page of the log. Looks at 5,000 entries at most, so that a page may be short, or empty, before the log's end; only
   * at its end it waits. Reads the events of the page that are not in memory.
   * @param call - names this call, so that `cancel` can end it early
   */
  log(query: LogQuery, call: string): Promise<LogPage>;
  /** The client of this call has gone: stop waiting. Unknown names are ignored. */
  cancel(call: string): Promise<void>;
}
