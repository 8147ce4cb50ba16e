import type { JsonObject } from "../../matrix/json.ts";
import type { Requester } from "../node/requester.ts";
import type { UiaChallenge } from "../users/api.ts";
import { newSecret } from "../users/tokens.ts";
import type { OAuthParts } from "./parts.ts";

/** The second is how clients know it that were written before it was in the spec. */
const stages = ["m.oauth", "org.matrix.cross_signing_reset"];
const url = "/_hearth/oauth/account?action=org.matrix.cross_signing_reset";

/** See OAuthForComponents. What was asked needs no keeping: the user's word on the page is all that counts. */
export async function confirmCrossSigningReset(
  { users, secrets }: OAuthParts,
  requester: Requester,
  purpose: string,
  auth: JsonObject | undefined,
): Promise<UiaChallenge | undefined> {
  const { userId, deviceId } = requester;
  if ((await secrets.resetUntil(userId)) !== undefined) return undefined;
  if (deviceId === undefined || !(await users.isFromOAuth(userId, deviceId)))
    return users.confirmOwner(requester, purpose, auth);
  const session = typeof auth?.session === "string" ? auth.session : newSecret("hearth_uia");
  return {
    uia: {
      flows: stages.map((stage) => ({ stages: [stage] })),
      params: Object.fromEntries(stages.map((stage) => [stage, { url }])),
      session,
    },
  };
}
