import { domainOf } from "../../../src/matrix/domain.ts";
import type { RemoteKeys } from "../../../src/worker-roomserver/keys/api.ts";

/** No other server answers. */
export const unreachableKeys: RemoteKeys = {
  query: async (wanted) => ({ users: new Map(), failures: failuresOf(wanted) }),
  claim: async (wanted) => ({ one_time_keys: {}, failures: failuresOf(wanted) }),
};

const failuresOf = (wanted: object) =>
  Object.fromEntries(
    Object.keys(wanted).map((userId) => [domainOf(userId)!, { errcode: "M_UNKNOWN", error: "Not reached." }]),
  );
