import { MatrixError } from "../../matrix/errors.ts";
import type { RequestId } from "../node/requester.ts";
import type { AccountAct, AccountPage, Page } from "./api.ts";
import type { OAuthParts, SignedIn } from "./parts.ts";

type Shown = Pick<AccountPage, "action" | "deviceId" | "done" | "problem">;

/** What users do with their accounts in a browser. @see https://spec.matrix.org/v1.19/client-server-api/#oauth-20-account-management */
export class AccountPages {
  readonly #with: OAuthParts;

  constructor(parts: OAuthParts) {
    this.#with = parts;
  }

  /** @param session - the page's secret, for its forms */
  async show(session: string, userId: string, shown: Shown): Promise<AccountPage> {
    const { users, secrets } = this.#with;
    const requester = await users.requesterFor(userId);
    const [devices, profile, resetUntil] = await Promise.all([
      users.devices(requester),
      users.profile(userId),
      secrets.resetUntil(userId),
    ]);
    const displayName = typeof profile.displayname === "string" ? profile.displayname : "";
    return { page: "account", session, userId, devices, displayName, resetUntil, ...shown };
  }

  async act(request: RequestId, session: string, { key, owner }: SignedIn, act: AccountAct): Promise<Page> {
    const { users, secrets, storage } = this.#with;
    const { userId } = owner;
    const requester = await users.requesterFor(userId);
    switch (act.act) {
      case "show":
        return this.show(session, userId, {});
      case "rename": {
        const named = users.setProfileField(requester, userId, "displayname", act.displayName);
        const problem = await problemOf(named);
        return this.show(
          session,
          userId,
          problem === undefined ? { done: "Your name is changed." } : { problem },
        );
      }
      case "endDevice":
        await users.endDevice(userId, act.deviceId);
        return this.show(session, userId, { done: "The session is signed out." });
      case "resetCrossSigning":
        await secrets.allowReset(userId);
        return this.show(session, userId, { done: "You can go on in the app now." });
      case "deactivate": {
        const identifier = { type: "m.id.user", user: userId };
        const auth = { type: "m.login.password", identifier, password: act.password };
        const gone = users.deactivate(request, requester, { auth, erase: act.erase });
        const problem =
          (await problemOf(gone)) ?? ("uia" in (await gone) ? "The password is wrong." : undefined);
        if (problem !== undefined) return this.show(session, userId, { action: deactivateAction, problem });
        await storage.commit((write) => write.delete("oauthSecrets", key));
        return { page: "done", what: "deactivated" };
      }
    }
  }
}

export const deactivateAction = "org.matrix.account_deactivate";

/** What to tell the user of a call that refused what they want; other errors are thrown. */
export async function problemOf(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof MatrixError && error.status < 500) return error.message;
    throw error;
  }
}
