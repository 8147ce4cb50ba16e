import { notFound } from "../../../matrix/errors.ts";
import type { JsonObject } from "../../../matrix/json.ts";

/** Profiles of users of other servers, over federation. */
export interface RemoteProfiles {
  /**
   * The profile as its server has told it, lately.
   * @throws MatrixError M_NOT_FOUND (404); M_FORBIDDEN (403); M_UNKNOWN (502, 504) where the server is not reached
   */
  profile(userId: string): Promise<JsonObject>;
}

/** Where there are no other servers. */
export const noRemoteProfiles: RemoteProfiles = {
  profile: async () => {
    throw notFound("There is no such user here.");
  },
};
