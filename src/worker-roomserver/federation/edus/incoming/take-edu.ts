import type { TakeEdu } from "../../api.ts";
import { takeCrossSigning, takeDeviceUpdate } from "./keys.ts";
import type { IncomingParts, TakeContent } from "./parts.ts";
import { isRefusal } from "./refusal.ts";
import { takeReceipts, takeTyping } from "./rooms.ts";
import { takeMessages, takePresence } from "./users.ts";

const takers = new Map<string, TakeContent>([
  ["m.typing", takeTyping],
  ["m.receipt", takeReceipts],
  ["m.presence", takePresence],
  ["m.direct_to_device", takeMessages],
  ["m.device_list_update", takeDeviceUpdate],
  ["m.signing_key_update", takeCrossSigning],
]);

/** EDUs of other kinds are for servers that know them. */
export function takingEdus(parts: IncomingParts): TakeEdu {
  return async (origin, edu) => {
    try {
      await takers.get(edu.edu_type)?.(parts, origin, edu.content);
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  };
}
