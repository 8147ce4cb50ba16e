import { unrecognized } from "../../matrix/errors.ts";
import type { WakeUp } from "./api.ts";

/** Where the operator has named no contact, push services are not asked, and nodes have to come by themselves. */
export const noWakeUp: Omit<WakeUp, "publicKey"> = {
  async subscribe(_owner, subscription) {
    if (subscription !== null) throw unrecognized("This relay does not wake nodes.");
  },
  isSubscribed: async () => false,
  wake: async () => undefined,
  close: () => undefined,
};
