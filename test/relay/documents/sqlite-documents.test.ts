import { sqliteDocuments } from "../../../src/relay/documents/sqlite-documents.ts";
import { openOverSqlite } from "../support/sqlite.ts";
import { documentsContract } from "./contract.ts";

documentsContract("SQLite", () => openOverSqlite(sqliteDocuments));
