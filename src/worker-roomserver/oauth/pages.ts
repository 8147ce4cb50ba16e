import type { RequestId } from "../node/requester.ts";
import type { OwnerRow } from "../storage/schema.ts";
import { hashToken, newSecret } from "../users/tokens.ts";
import { type AccountPages, problemOf } from "./account-page.ts";
import type { AccountAct, ClientView, NewAccount, Page, PageTarget, SignInPage } from "./api.ts";
import { clientView } from "./clients.ts";
import type { CodeGrant } from "./code-grant.ts";
import type { DeviceGrant } from "./device-grant.ts";
import { type OAuthParts, type Purpose, pageEnded, pageLifetimeMs, type SignedIn } from "./parts.ts";

export type PagesOptions = OAuthParts & {
  codeGrant: CodeGrant;
  deviceGrant: DeviceGrant;
  accountPages: AccountPages;
};

const noSuchCode = "No device shows this code, or it has expired. Please look again.";

/**
 * Takes people through the pages. Browsers keep nothing between them, cookies neither: a page's forms carry its secret
 * along, which stands for one user who gave their password for one purpose. A foreign page, that cannot know it, has
 * nothing to send.
 */
export class Pages {
  readonly #with: PagesOptions;
  /** By the key of the page: a second click gets what the first one does. */
  readonly #deciding = new Map<string, Promise<Page>>();

  constructor(options: PagesOptions) {
    this.#with = options;
  }

  async open(target: PageTarget): Promise<Page> {
    if (target.for !== "authorize") return this.#signInPage({ user: "" });
    const requested = await this.#with.codeGrant.requested(target.query);
    if ("to" in requested) return { page: "redirect", to: requested.to };
    const { client, request } = requested;
    const { prompt, login_hint: hint = "" } = target.query;
    return this.#signInPage({
      page: prompt?.split(" ").includes("create") ? "create" : "signIn",
      user: hint.replace(/^mxid:/, ""),
      client,
      redirectUri: request.redirectUri,
    });
  }

  async signIn(target: PageTarget, user: string, password: string): Promise<Page> {
    const attempt = this.#with.users.ownerOf(user, password);
    const problem = await problemOf(attempt);
    const owner = problem === undefined ? await attempt : undefined;
    if (owner !== undefined) return this.#goOn(target, owner);
    return this.#again(target, "signIn", user, problem ?? "The username or the password is wrong.");
  }

  async createAccount(request: RequestId, target: PageTarget, account: NewAccount): Promise<Page> {
    const { users } = this.#with;
    const { user: username, password, passwordAgain, token } = account;
    if (password !== passwordAgain) return this.#again(target, "create", username, "The passwords differ.");
    const auth =
      users.registration() === "token"
        ? { type: "m.login.registration_token", token: token ?? "" }
        : { type: "m.login.dummy" };
    const body = { username, password, auth, inhibit_login: true };
    const made = users.register(request, "user", body);
    const problem =
      (await problemOf(made)) ??
      ("uia" in (await made) ? "This registration token is not valid." : undefined);
    if (problem !== undefined) return this.#again(target, "create", username, problem);
    return this.signIn(target, username, password);
  }

  async decide(session: string, allow: boolean): Promise<Page> {
    const key = await hashToken(session);
    const earlier = this.#deciding.get(key);
    if (earlier !== undefined) return earlier;
    const decided = this.#decide(key, allow).finally(() => this.#deciding.delete(key));
    this.#deciding.set(key, decided);
    return decided;
  }

  async manage(request: RequestId, session: string, act: AccountAct): Promise<Page> {
    const signedIn = await this.#signedIn(await hashToken(session));
    if (signedIn.purpose.for !== "account") throw pageEnded();
    return this.#with.accountPages.act(request, session, signedIn, act);
  }

  async #decide(key: string, allow: boolean): Promise<Page> {
    const { codeGrant, deviceGrant } = this.#with;
    const { owner, purpose } = await this.#signedIn(key);
    switch (purpose.for) {
      case "authorize":
        return codeGrant.answer({ key, owner, purpose }, allow);
      case "device":
        return deviceGrant.answer({ key, owner, purpose }, allow);
      case "account":
        throw pageEnded();
    }
  }

  /** @throws MatrixError invalid_request 400 */
  async #signedIn(key: string): Promise<SignedIn> {
    const row = await this.#with.secrets.find("page", key);
    if (row === undefined || !(await this.#with.users.isOwner(row.owner))) throw pageEnded();
    return { key, owner: row.owner, purpose: JSON.parse(row.purpose) as Purpose };
  }

  #signInPage(page: { user: string } & Partial<SignInPage>): SignInPage {
    return { page: "signIn", registration: this.#with.users.registration(), ...page };
  }

  /** The page that was shown, with what was wrong. */
  async #again(target: PageTarget, page: SignInPage["page"], user: string, problem: string): Promise<Page> {
    const opened = await this.open(target);
    return opened.page === "redirect" ? opened : ({ ...opened, page, user, problem } as SignInPage);
  }

  async #goOn(target: PageTarget, owner: OwnerRow): Promise<Page> {
    const { codeGrant, deviceGrant, accountPages, clients } = this.#with;
    switch (target.for) {
      case "authorize": {
        const requested = await codeGrant.requested(target.query);
        if ("to" in requested) return { page: "redirect", to: requested.to };
        const { id, client, request } = requested;
        const { deviceId, redirectUri } = request;
        const purpose: Purpose = { for: "authorize", client: id, request };
        return this.#consent(owner, purpose, { client, deviceId, redirectUri });
      }
      case "device": {
        const waiting = await deviceGrant.waiting(target.userCode);
        if (waiting === undefined) return this.#again(target, "signIn", owner.userId, noSuchCode);
        const { key, row } = waiting;
        const client = clientView(await clients.get(row.client));
        return this.#consent(owner, { for: "device", device: key }, { client, deviceId: row.deviceId });
      }
      case "account": {
        const session = await this.#begin(owner, { for: "account" });
        const { action, deviceId } = target;
        return accountPages.show(session, owner.userId, { action, deviceId });
      }
    }
  }

  async #consent(
    owner: OwnerRow,
    purpose: Purpose,
    asked: { client: ClientView; deviceId: string; redirectUri?: string },
  ): Promise<Page> {
    const { userId } = owner;
    const device = await this.#with.storage.get("devices", [userId, asked.deviceId]);
    const session = await this.#begin(owner, purpose);
    return { page: "consent", session, userId, ...asked, replaces: device?.displayName };
  }

  async #begin(owner: OwnerRow, purpose: Purpose): Promise<string> {
    const session = newSecret("hearth_page");
    const key = await hashToken(session);
    const expiresAt = this.#with.now() + pageLifetimeMs;
    const row = { kind: "page", expiresAt, owner, purpose: JSON.stringify(purpose) } as const;
    await this.#with.storage.commit((write) => write.put("oauthSecrets", row, key));
    return session;
  }
}
