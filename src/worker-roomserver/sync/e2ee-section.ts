import type { JsonObject } from "../../matrix/json.ts";
import type { Requester } from "../node/requester.ts";
import type { Changes } from "./changes.ts";
import { type DeviceLists, deviceLists } from "./device-lists.ts";
import type { Readers } from "./readers.ts";
import type { Span } from "./span.ts";

export type E2eeSection = {
  json: {
    device_lists: DeviceLists;
    device_one_time_keys_count: JsonObject;
    device_unused_fallback_key_types: string[];
  };
  /** Whether it is worth ending a wait for. */
  isNews: boolean;
};

/** Of who syncs without a device. */
const noKeys = { oneTimeKeys: {}, unusedFallbacks: [] };

/**
 * What one device has to know for end-to-end encryption, in whatever form of sync.
 * @param span - undefined for a client that knows nothing yet, and asks for devices when it needs them
 * @param about - `startsAnew`: the client knows lists of devices, but nobody knows as of when
 * @see https://spec.matrix.org/v1.19/client-server-api/#e2e-extensions-to-sync
 */
export async function e2eeSection(
  readers: Readers,
  { userId, deviceId }: Requester,
  span: Span | undefined,
  about: {
    changes: Pick<Changes, "membersOf" | "deviceLists" | "claimed">;
    sharing: ReadonlySet<string>;
    startsAnew: boolean;
  },
): Promise<E2eeSection> {
  const { changes, sharing, startsAnew } = about;
  const [lists, counts] = await Promise.all([
    span === undefined
      ? { changed: startsAnew ? [userId, ...sharing] : [], left: [] }
      : deviceLists(readers, userId, span, { ...changes, sharing }),
    deviceId === undefined ? noKeys : readers.keys.counts(userId, deviceId),
  ]);
  return {
    json: {
      device_lists: lists,
      device_one_time_keys_count: counts.oneTimeKeys,
      device_unused_fallback_key_types: counts.unusedFallbacks,
    },
    isNews: changes.claimed || lists.changed.length > 0 || lists.left.length > 0,
  };
}
