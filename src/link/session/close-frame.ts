import { isJsonObject } from "../../matrix/json.ts";
import type { LinkEnd } from "../api.ts";
import { encodeFrame, type Frame, frameTypes } from "../frames.ts";
import { encodeJsonPayload, parseJsonPayload } from "../json-payload.ts";

/** What a `close` frame says. */
export type CloseNotice = LinkEnd & {
  /** The highest stream of the reader's that the writer has begun with: those above may be asked elsewhere. */
  taken: number;
  /** Nothing follows: whoever reads it closes the channel, as then nothing on its way is lost. */
  final: boolean;
};

const kinds: readonly LinkEnd["kind"][] = ["closed", "refused", "moved", "protocol"];
const maxReason = 500;

export function closeFrame(notice: CloseNotice): Uint8Array {
  const payload = encodeJsonPayload({ ...notice, reason: notice.reason.slice(0, maxReason) });
  return encodeFrame(frameTypes.close, 0, payload);
}

/** @throws {ProtocolError} for what is not JSON; what is missing is taken as the least harmful */
export function readClose(frame: Frame): CloseNotice {
  const json = parseJsonPayload(frame.payload);
  const { kind, reason, taken, final } = isJsonObject(json) ? json : {};
  return {
    kind: kinds.find((known) => known === kind) ?? "closed",
    reason: typeof reason === "string" ? reason.slice(0, maxReason) : "The peer has closed the session.",
    taken: typeof taken === "number" ? taken : Number.POSITIVE_INFINITY,
    final: final === true,
  };
}
