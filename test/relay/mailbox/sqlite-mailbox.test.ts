import { sqliteMailbox } from "../../../src/relay/mailbox/sqlite-mailbox.ts";
import { openOverSqlite } from "../support/sqlite.ts";
import { mailboxContract } from "./contract.ts";

mailboxContract("SQLite", (limits) => openOverSqlite((sqlite) => sqliteMailbox(sqlite, limits)));
