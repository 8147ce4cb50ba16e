import type { Config } from "./config/config.ts";
import { sqliteDocuments } from "./documents/sqlite-documents.ts";
import type { Mailbox } from "./mailbox/api.ts";
import { sqliteMailbox } from "./mailbox/sqlite-mailbox.ts";
import type { Log } from "./observe/log.ts";
import { errorFields } from "./observe/log.ts";
import type { Storage } from "./parts.ts";
import { openSqlite } from "./sqlite/store.ts";

/** What a relay keeps for its nodes. */
export type NodeStorage = Storage & { mailbox: Mailbox };

/** How often mail that is too old is looked for, in milliseconds. */
const EXPIRE_EVERY = 3_600_000;

/** In a database in the data folder. */
export async function openFileStorage(config: Config): Promise<NodeStorage> {
  const store = openSqlite(`${config.data}/relay.sqlite`);
  return {
    documents: sqliteDocuments(store),
    mailbox: sqliteMailbox(store, { bytes: config.mailboxBytes, entries: config.mailboxEntries }),
    checks: {
      database: () => {
        store.db.prepare("SELECT 1").get();
        return undefined;
      },
    },
    close: async () => store.close(),
  };
}

/** Drops mail that nobody has come for, now and then. @returns what ends that */
export function expiring(mailbox: Mailbox, retention: number, log: Log): () => void {
  const expire = async () => {
    try {
      const entries = await mailbox.expire(Date.now() - retention);
      if (entries > 0) log.warn("expired", { entries });
    } catch (error) {
      log.error("expire", errorFields(error));
    }
  };
  void expire();
  const timer = setInterval(expire, EXPIRE_EVERY);
  return () => clearInterval(timer);
}
