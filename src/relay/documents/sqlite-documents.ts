import { Buffer } from "node:buffer";
import type { SqliteStore } from "../sqlite/store.ts";
import type { Documents } from "./api.ts";
import { encodeDocument } from "./limit.ts";

/** @throws {MatrixError} M_TOO_LARGE (413), from `change`, for a document over the limit, of which nothing is kept */
export function sqliteDocuments({ db, write }: SqliteStore): Documents {
  const select = db.prepare("SELECT json FROM documents WHERE kind = ? AND key = ?");
  const replace = db.prepare("INSERT OR REPLACE INTO documents (kind, key, json) VALUES (?, ?, ?)");
  const remove = db.prepare("DELETE FROM documents WHERE kind = ? AND key = ?");
  const page = db.prepare("SELECT key FROM documents WHERE kind = ? AND key > ? ORDER BY key LIMIT ?");

  const read = <T>(kind: string, key: string): T | undefined => {
    const row = select.get(kind, toUnits(key));
    return row === undefined ? undefined : (JSON.parse(String(row.json)) as T);
  };

  return {
    read: async (kind, key) => read(kind, key),
    change: (kind, key, change) =>
      write(() => {
        const made = change(read(kind, key));
        if ("to" in made) {
          if (made.to === undefined) remove.run(kind, toUnits(key));
          else replace.run(kind, toUnits(key), encodeDocument(made.to));
        }
        return made.result;
      }),
    list: async (kind, after, limit) =>
      page.all(kind, toUnits(after), limit).map(({ key }) => fromUnits(key as Uint8Array)),
  };
}

/** Big-endian UTF-16: bytes are ordered as code units are. */
const toUnits = (text: string) => Buffer.from(text, "utf16le").swap16();
const fromUnits = (bytes: Uint8Array) => Buffer.from(bytes).swap16().toString("utf16le");
