import { decodeBase64 } from "./base64.ts";
import { isServerName, type ServerName } from "./identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import type { Pdu } from "./pdu.ts";

/** The server that a room has its events recommended by, and the key that it does so with. */
export type PolicyServer = { via: ServerName; publicKey: Uint8Array };

/** The only one that there is. */
export const POLICY_KEY_ID = "ed25519:policy_server";

/**
 * The policy server that a room names. Whether it has a user in the room, without which it is none, is to be found out.
 * @param content - of the `m.room.policy` event with an empty state key
 * @returns undefined for none; a key that is none makes no policy server either, as nothing could be signed with it
 * @see https://spec.matrix.org/v1.19/server-server-api/#determining-if-a-policy-server-is-enabled-in-a-room
 */
export function policyServerIn(content: JsonObject | undefined): PolicyServer | undefined {
  const { via, public_keys: keys } = content ?? {};
  if (!isServerName(via) || !isJsonObject(keys) || typeof keys.ed25519 !== "string") return undefined;
  const publicKey = decodeBase64(keys.ed25519);
  return publicKey?.length === 32 ? { via, publicKey } : undefined;
}

/**
 * Whether an event is to be recommended: all but the one that names the policy server, by which a room gets rid of it,
 * and the room's first, before which there is none.
 * @see https://spec.matrix.org/v1.19/server-server-api/#validating-policy-server-signatures
 */
export function needsRecommendation({ type, state_key: stateKey }: Pick<Pdu, "type" | "state_key">): boolean {
  return type !== "m.room.create" && !(type === "m.room.policy" && stateKey === "");
}

/** The event with the signature that a policy server answers; undefined where there is none in the answer. */
export function withRecommendation(pdu: Pdu, via: string, answer: JsonValue): Pdu | undefined {
  const own = isJsonObject(answer) ? answer[via] : undefined;
  const signature = isJsonObject(own) ? own[POLICY_KEY_ID] : undefined;
  if (typeof signature !== "string") return undefined;
  // Under the same name there may be the signature that makes the event that server's own.
  const before = pdu.signatures[via] ?? {};
  return { ...pdu, signatures: { ...pdu.signatures, [via]: { ...before, [POLICY_KEY_ID]: signature } } };
}
