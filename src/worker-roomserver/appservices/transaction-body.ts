import type { Registration } from "../../matrix/appservices/registration.ts";
import type { News } from "./interest.ts";

/**
 * What a transaction says, as JSON. What has no name in the specification yet has those of the proposals, as the other
 * homeservers write and bridges read them.
 * @returns undefined where there is nothing to tell
 * @see https://spec.matrix.org/v1.19/application-service-api/#put_matrixappv1transactionstxnid
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/2409
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3202
 */
export function transactionBody(
  { events, ephemeral, toDevice, deviceLists, keyCounts }: News,
  { pushEphemeral }: Pick<Registration, "pushEphemeral">,
): string | undefined {
  const { changed, left } = deviceLists;
  const { oneTimeKeys, unusedFallbacks } = keyCounts;
  const isCounted = Object.keys(oneTimeKeys).length > 0;
  const extras = {
    ...(ephemeral.length > 0 && { ephemeral }),
    ...(ephemeral.length > 0 && pushEphemeral && { "de.sorunome.msc2409.ephemeral": ephemeral }),
    ...(toDevice.length > 0 && { "de.sorunome.msc2409.to_device": toDevice }),
    ...(changed.size + left.size > 0 && {
      "org.matrix.msc3202.device_lists": { changed: [...changed], left: [...left] },
    }),
    ...(isCounted && {
      "org.matrix.msc3202.device_one_time_keys_count": oneTimeKeys,
      "org.matrix.msc3202.device_unused_fallback_key_types": unusedFallbacks,
    }),
  };
  if (events.length + Object.keys(extras).length === 0) return undefined;
  return JSON.stringify({ events, ...extras });
}
