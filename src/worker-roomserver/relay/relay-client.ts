import { bodyOf, readBody } from "../../link/bodies.ts";
import { RELAY_API } from "../../link/relay-api.ts";
import { MatrixError } from "../../matrix/errors.ts";
import { isJsonObject, type JsonObject } from "../../matrix/json.ts";
import { encodeUtf8 } from "../../matrix/utf8.ts";
import type { KeptLink } from "./keeper.ts";

/** The largest answer is an entry of the mailbox: a transaction of 8 MiB and more, in Base64. */
const MAX_ANSWER_BYTES = 24 * 1024 * 1024;

/** Asks a relay something over a session. */
export type AskRelay = (
  method: "GET" | "PUT" | "POST",
  /** After `/_relay/v1`, with its query. */
  path: string,
  body?: object,
  signal?: AbortSignal,
) => Promise<JsonObject>;

/**
 * @throws MatrixError as the relay answers it; M_UNKNOWN 502 for an answer that is none; LinkError when the session ends
 */
export function askRelayOver(link: KeptLink): AskRelay {
  return async (method, path, body, signal) => {
    const bytes = body && encodeUtf8(JSON.stringify(body));
    const response = await link.request(
      () => ({
        method,
        target: RELAY_API + path,
        headers: bytes
          ? [
              ["content-type", "application/json"],
              ["content-length", String(bytes.length)],
            ]
          : [],
        ...(bytes && { body: bodyOf(bytes) }),
      }),
      signal,
    );
    const answer = parsed(await readBody(response.body, MAX_ANSWER_BYTES));
    if (response.status >= 200 && response.status < 300) {
      if (answer === undefined) throw new MatrixError("M_UNKNOWN", 502, "The relay's answer is not JSON.");
      return answer;
    }
    throw refusal(response.status, answer);
  };
}

function refusal(status: number, answer: JsonObject | undefined): MatrixError {
  const errcode = typeof answer?.errcode === "string" ? answer.errcode : "M_UNKNOWN";
  const why = typeof answer?.error === "string" ? answer.error.slice(0, 500) : "";
  // What it answers is shown to the owner, and stands for no more than an error.
  const shown = status >= 400 && status < 600 ? status : 502;
  return new MatrixError(errcode, shown, why === "" ? `The relay answered ${status}.` : why);
}

/** An empty body is an answer without content. */
function parsed(bytes: Uint8Array): JsonObject | undefined {
  if (bytes.length === 0) return {};
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isJsonObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
