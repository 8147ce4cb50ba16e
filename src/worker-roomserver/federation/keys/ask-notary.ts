import type { Ed25519 } from "../../../matrix/ed25519-rules.ts";
import { MatrixError } from "../../../matrix/errors.ts";
import { isJsonObject, type JsonValue } from "../../../matrix/json.ts";
import { readServerKeys } from "../../../matrix/server-keys.ts";
import { verifySignedJson } from "../../../matrix/signing.ts";
import { type FederationClient, FederationError } from "../api.ts";
import { afterHearsay } from "./known-keys.ts";
import type { StoredKeys } from "./stored-keys.ts";

export type AskNotaryOptions = {
  client: Pick<FederationClient, "request">;
  stored: StoredKeys;
  ed25519: Ed25519;
  /** Milliseconds since 1970. */
  now: () => number;
  keyFor: (serverName: string, keyId: string, at: number) => Promise<Uint8Array | undefined>;
};

/** A document has a kilobyte or two. */
const SERVERS_AT_ONCE = 200;
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Asks a server for what others have published of their keys: of servers that do not answer themselves any more. What it
 * says is kept as hearsay.
 * @param wanted - by server name, the ids of the keys and up to when they are to count (milliseconds since 1970)
 * @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixkeyv2query
 */
export async function askNotary(
  notary: string,
  wanted: ReadonlyMap<string, ReadonlyMap<string, number>>,
  options: AskNotaryOptions,
): Promise<void> {
  const servers = [...wanted];
  for (let start = 0; start < servers.length; start += SERVERS_AT_ONCE) {
    const some = new Map(servers.slice(start, start + SERVERS_AT_ONCE));
    try {
      const { json } = await options.client.request({
        ...{ method: "POST", destination: notary, uri: "/_matrix/key/v2/query", maxBytes: MAX_BYTES },
        content: { server_keys: Object.fromEntries([...some].map(([name, keys]) => [name, criteria(keys)])) },
      });
      const documents = isJsonObject(json) && Array.isArray(json.server_keys) ? json.server_keys : [];
      for (const document of documents) await hear(notary, document, some, options);
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      return;
    }
  }
}

const criteria = (keys: ReadonlyMap<string, number>) =>
  Object.fromEntries([...keys].map(([keyId, at]) => [keyId, { minimum_valid_until_ts: at }]));

async function hear(
  notary: string,
  document: JsonValue,
  wanted: ReadonlyMap<string, unknown>,
  { stored, ed25519, now, keyFor }: AskNotaryOptions,
): Promise<void> {
  const serverName = isJsonObject(document) ? document.server_name : undefined;
  if (!isJsonObject(document) || typeof serverName !== "string" || !wanted.has(serverName)) return;
  const signatures = isJsonObject(document.signatures) ? document.signatures[notary] : undefined;
  if (!isJsonObject(signatures)) return;
  try {
    for (const keyId of Object.keys(signatures).slice(0, 4)) {
      const key = await keyFor(notary, keyId, now());
      if (key === undefined || !(await verifySignedJson(document, notary, keyId, key, ed25519))) continue;
      const read = await readServerKeys(document, serverName, ed25519);
      await stored.change(serverName, (row) => afterHearsay(row, read, now()));
      return;
    }
  } catch (error) {
    // One bad document says nothing of the next.
    if (!(error instanceof MatrixError)) throw error;
  }
}
