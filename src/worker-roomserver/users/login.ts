import { forbidden, missingParam, unknown } from "../../matrix/errors.ts";
import type { ServerName } from "../../matrix/identifiers.ts";
import type { Answers, RecordAnswer } from "../node/answers.ts";
import type { KeyedLock } from "../node/keyed-lock.ts";
import type { RequestId } from "../node/requester.ts";
import type { Storage } from "../storage/api.ts";
import type { LoginBody, LoginResult } from "./api.ts";
import type { Credentials } from "./credentials.ts";
import type { LoginTokens } from "./login-tokens.ts";
import { newSession, type Sessions } from "./sessions.ts";
import { identifiedUserId } from "./user-names.ts";

export type LoginOptions = {
  storage: Storage;
  answers: Answers;
  locks: KeyedLock<string>;
  serverName: ServerName;
  credentials: Credentials;
  sessions: Sessions;
  loginTokens: LoginTokens;
};

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3login */
export class Login {
  readonly #with: LoginOptions;

  constructor(options: LoginOptions) {
    this.#with = options;
  }

  login(request: RequestId, body: LoginBody): Promise<LoginResult> {
    return this.#with.answers.once<LoginResult>(request, (record) => {
      switch (body.type) {
        case "m.login.password":
          return this.#byPassword(body, record);
        case "m.login.token":
          return this.#byToken(body, record);
      }
      return Promise.reject(unknown("This server offers m.login.password and m.login.token.", 400));
    });
  }

  async #byPassword(body: LoginBody, record: RecordAnswer): Promise<LoginResult> {
    const { storage, locks, serverName, credentials, sessions } = this.#with;
    if (body.password === undefined) throw missingParam('"password" is missing.');
    const session = await newSession(body);
    const account = await credentials.check(identifiedUserId(body, serverName), body.password);
    if (account === undefined) throw wrong();
    return locks.run(account.userId, async () => {
      // While the hash was computed, the password may have been changed or the account deactivated.
      const now = await storage.get("accounts", account.userId);
      if (now?.passwordHash !== account.passwordHash) throw wrong();
      const start = await sessions.starting(account.userId, session);
      return storage.commit((write) => record(write, start(write)));
    });
  }

  async #byToken(body: LoginBody, record: RecordAnswer): Promise<LoginResult> {
    const { storage, locks, loginTokens, sessions } = this.#with;
    const { token } = body;
    if (token === undefined) throw missingParam('"token" is missing.');
    const session = await newSession(body);
    const { userId } = await loginTokens.redeem(token);
    return locks.run(userId, async () => {
      const { use } = await loginTokens.redeem(token);
      const account = await storage.get("accounts", userId);
      if (account === undefined || account.deactivated) throw forbidden("This account has been deactivated.");
      const start = await sessions.starting(userId, session);
      return storage.commit((write) => {
        use(write);
        return record(write, start(write));
      });
    });
  }
}

/** The same for each reason, so that it says nothing about which accounts there are. */
const wrong = () => forbidden("The username or the password is wrong.");
