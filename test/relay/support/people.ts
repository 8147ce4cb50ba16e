import { getPublicKeyAsync } from "@noble/ed25519";
import { encodeBase64 } from "../../../src/matrix/base64.ts";
import { chooseEd25519 } from "../../../src/matrix/ed25519.ts";
import type { JsonObject, JsonValue } from "../../../src/matrix/json.ts";
import { serverNameFromKey } from "../../../src/matrix/server-names.ts";
import { type SigningKey, signJson } from "../../../src/matrix/signing.ts";
import { authorizationFor } from "../../../src/matrix/x-matrix.ts";

export const ed25519 = await chooseEd25519(crypto.subtle);
export const RELAY = "relay.example";

/** A server with a key: a node (whose name is its key) or one that others run. */
export type Person = { name: string; key: SigningKey };

export async function person(fill: number, name?: string): Promise<Person> {
  const seed = new Uint8Array(32).fill(fill);
  const publicKey = await getPublicKeyAsync(seed);
  const key = { keyId: "ed25519:1", publicKey, sign: await ed25519.signer(seed) };
  return { name: name ?? `${serverNameFromKey(publicKey)}.${RELAY}`, key };
}

/** What a server publishes of its keys, signed. */
export function keyDocument({ name, key }: Person, over: JsonObject = {}): Promise<JsonObject> {
  const document = {
    server_name: name,
    valid_until_ts: 10_000_000,
    old_verify_keys: {},
    verify_keys: { [key.keyId]: { key: encodeBase64(key.publicKey) } },
    ...over,
  };
  return signJson(document, name, key.keyId, key.sign);
}

/** A signed request of one server to another. */
export async function signed(
  from: Person,
  destination: string,
  method: string,
  uri: string,
  content?: JsonValue,
): Promise<{ method: string; uri: string; authorization: string; body: string | undefined }> {
  const request = { method, uri, origin: from.name, destination, content };
  const authorization = await authorizationFor(request, from.key);
  return { method, uri, authorization, body: content === undefined ? undefined : JSON.stringify(content) };
}
