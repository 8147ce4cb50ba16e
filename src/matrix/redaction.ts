import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import type { RoomVersionRules } from "./room-versions.ts";

/**
 * Strips an event of all that the protocol does not need, as a redaction does and as hashes and signatures
 * are computed over.
 * @param pdu - an event as a PDU or as clients see it; it is left untouched, and what it lacks stays absent
 * @param rules - the room version's
 * @returns a new object; what stays is shared with the input, not copied. `unsigned` goes as well.
 * @see https://spec.matrix.org/v1.19/rooms/v11/#redactions
 */
export function redact(pdu: JsonObject, rules: RoomVersionRules): JsonObject {
  const redacted: JsonObject = {};
  for (const key of rules.redaction.topLevel) {
    if (Object.hasOwn(pdu, key)) redacted[key] = pdu[key];
  }
  if (Object.hasOwn(redacted, "content")) {
    redacted.content = redactContent(pdu.type, pdu.content, rules);
  }
  return redacted;
}

function redactContent(
  type: JsonValue | undefined,
  content: JsonValue | undefined,
  rules: RoomVersionRules,
): JsonObject {
  const kept = rules.redaction.content;
  if (!isJsonObject(content) || typeof type !== "string" || !Object.hasOwn(kept, type)) return {};
  const paths = kept[type] ?? [];
  if (paths === "all") return { ...content };
  const redacted: JsonObject = {};
  for (const path of paths) keep(path, content, redacted);
  return redacted;
}

/**
 * Copies what lies at `path`. An object on the way there is kept even where what is looked for is missing:
 * `{"third_party_invite": {"display_name": "x"}}` becomes `{"third_party_invite": {}}`. The spec does not say,
 * but event ids hang on it, and this is how Synapse hashes such an event.
 */
function keep(path: readonly string[], from: JsonObject, to: JsonObject): void {
  const [key, ...rest] = path;
  if (key === undefined || !Object.hasOwn(from, key)) return;
  const value = from[key];
  if (rest.length === 0) {
    to[key] = value;
  } else if (isJsonObject(value)) {
    const child: JsonObject = {};
    to[key] = child;
    keep(rest, value, child);
  }
}
