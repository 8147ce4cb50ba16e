import { createHash } from "node:crypto";

/** A server name as one token of a subject, where dots and colons would mean something else. */
export const tokenOf = (serverName: string) =>
  createHash("sha256").update(serverName).digest("hex").slice(0, 32);
