import type { JsonObject } from "../../../matrix/json.ts";
import type { Requester } from "../../node/requester.ts";
import { requireDevice } from "../../node/require-device.ts";
import { positionToken } from "../../node/tokens.ts";
import type { Position } from "../../storage/schema.ts";
import type { Changes } from "../changes.ts";
import type { Readers } from "../readers.ts";
import { parseSince } from "../span.ts";
import { MESSAGES_AT_ONCE, toDeviceSection } from "../to-device-section.ts";
import type { Extensions } from "./api.ts";

export type ToDeviceAnswer = { next_batch: string; events: JsonObject[] };

/**
 * What was sent to the device. It has a token of its own, which outlives connections: a client keeps it with its keys.
 * @param look - up to where the connection was told, and what the log has since; undefined for one that begins
 * @throws MatrixError M_INVALID_PARAM for a token that is none; M_MISSING_PARAM 400 for who is no device
 * @see https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/3885-sliding-sync-to-device.md
 */
export async function toDeviceOf(
  { toDevice }: Pick<Readers, "toDevice">,
  asking: Requester,
  extension: NonNullable<Extensions["to_device"]>,
  { upTo, changes }: { upTo: Position; changes: { since: Position; has: Changes } | undefined },
): Promise<ToDeviceAnswer> {
  const requester = requireDevice(asking);
  const { since, limit = MESSAGES_AT_ONCE } = extension;
  const after = since === undefined ? 0 : (parseSince(since, upTo)?.toDevice ?? 0);
  if (after > 0) toDevice.delivered(requester.userId, requester.deviceId, after);
  // The disk is not asked for what the log would have told of.
  const mayHave = changes === undefined || changes.has.toDevice || after < changes.since;
  const section = await toDeviceSection(toDevice, requester, {
    after: mayHave ? after : upTo,
    upTo,
    // Less than one would never come to an end.
    limit: Math.min(Math.max(limit, 1), MESSAGES_AT_ONCE),
  });
  return { next_batch: positionToken(section.upTo), events: section.events };
}
