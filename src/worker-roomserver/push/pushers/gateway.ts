import { isJsonObject, type JsonObject } from "../../../matrix/json.ts";
import { type GatewayDevice, rejectedPushkeys } from "../../../matrix/push-gateway.ts";
import { type Egress, isFailure } from "../../egress/api.ts";
import { bytesOf } from "../../egress/body.ts";

const TIMEOUT_MS = 30_000;
/** An answer is a list of some pushkeys. */
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Sends a notification to the gateway of a device.
 * @returns the pushkeys that the gateway has rejected
 * @throws Error when it has not taken the notification
 * @see https://spec.matrix.org/v1.19/push-gateway-api/#homeserver-behaviour
 */
export async function askGateway(egress: Egress, device: GatewayDevice, body: JsonObject): Promise<string[]> {
  const response = await egress.fetch(
    { kind: "push", url: String(device.data.url) },
    {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      timeout: TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
    },
  );
  if (isFailure(response)) throw new Error(response.why);
  const bytes = await bytesOf(response);
  if (response.status !== 200) throw new Error(`The push gateway answered ${response.status}.`);
  if (isFailure(bytes)) throw new Error(bytes.why);
  return rejectedPushkeys(parsed(new TextDecoder().decode(bytes)));
}

/** A gateway that says 200 has taken it; what else it says is then of no matter, if it is not JSON. */
function parsed(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
