import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqlite, type SqliteStore } from "../../../src/relay/sqlite/store.ts";
import type { Opened } from "../documents/contract.ts";

/** A database in a folder of its own, and what is made over it. */
export async function openOverSqlite<Store>(make: (sqlite: SqliteStore) => Store): Promise<Opened<Store>> {
  const folder = await mkdtemp(join(tmpdir(), "hearth-relay-"));
  const path = join(folder, "relay.db");
  let sqlite = openSqlite(path);
  return {
    store: make(sqlite),
    reopen: async () => {
      sqlite.close();
      sqlite = openSqlite(path);
      return make(sqlite);
    },
    close: async () => {
      sqlite.close();
      await rm(folder, { recursive: true });
    },
  };
}
