import { encodeBase64 } from "../../matrix/base64.ts";
import type { JsonObject } from "../../matrix/json.ts";
import { type SigningKey, signJson } from "../../matrix/signing.ts";

/** Others ask again at the half of it; a node that is away for longer than all of it cannot be checked anew. */
export const VALID_MS = 7 * 24 * 60 * 60_000;

/**
 * The document that says with which key this server signs.
 * @param now - milliseconds since 1970
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixkeyv2server
 */
export function serverKeyDocument(serverName: string, key: SigningKey, now: number): Promise<JsonObject> {
  const document = {
    server_name: serverName,
    verify_keys: { [key.keyId]: { key: encodeBase64(key.publicKey) } },
    old_verify_keys: {},
    valid_until_ts: now + VALID_MS,
  };
  return signJson(document, serverName, key.keyId, key.sign);
}
