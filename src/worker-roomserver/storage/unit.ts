import type { LogEntry, PositionedEntry } from "../log/entry.ts";
import type { Write } from "./api.ts";
import { checkKey, deletion, type Operation } from "./operations.ts";
import type { HearthSchema, Position, RowStore, StoreName } from "./schema.ts";

/** What one operation writes, while it is filled. */
export class Unit implements Write {
  readonly operations: Operation[] = [];
  readonly entries: PositionedEntry[] = [];
  /** Of the last entry, here or before. */
  #position: Position;

  constructor(position: Position) {
    this.#position = position;
  }

  get position(): Position {
    return this.#position;
  }

  put<S extends RowStore>(store: S, value: HearthSchema[S]["value"], key?: HearthSchema[S]["key"]): void {
    checkKey(store, value, key);
    this.operations.push({ kind: "put", store, value, ...(key !== undefined && { key }) });
  }

  delete<S extends StoreName>(store: S, key: HearthSchema[S]["key"] | IDBKeyRange): void {
    this.operations.push(deletion(store, key));
  }

  append(partial: Partial<LogEntry> & Pick<LogEntry, "topic">): Position {
    const position = ++this.#position;
    const entry = { room: 0, user: 0, event: 0, detail: "", ...partial, position };
    this.entries.push(entry);
    return position;
  }
}
