import { forbidden, missingParam, unknown } from "../../matrix/errors.ts";
import type { ServerName } from "../../matrix/identifiers.ts";
import type { Answers } from "../node/answers.ts";
import type { KeyedLock } from "../node/keyed-lock.ts";
import type { RequestId } from "../node/requester.ts";
import type { Storage } from "../storage/api.ts";
import type { LoginBody, LoginResult } from "./api.ts";
import type { Credentials } from "./credentials.ts";
import { newSession, type Sessions } from "./sessions.ts";
import { identifiedUserId } from "./user-names.ts";

export type LoginOptions = {
  storage: Storage;
  answers: Answers;
  locks: KeyedLock<string>;
  serverName: ServerName;
  credentials: Credentials;
  sessions: Sessions;
};

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3login */
export class Login {
  readonly #with: LoginOptions;

  constructor(options: LoginOptions) {
    this.#with = options;
  }

  login(request: RequestId, body: LoginBody): Promise<LoginResult> {
    const { storage, answers, locks, serverName, credentials, sessions } = this.#with;
    return answers.once<LoginResult>(request, async (record) => {
      if (body.type !== "m.login.password") throw unknown("This server offers m.login.password only.", 400);
      if (body.password === undefined) throw missingParam('"password" is missing.');
      const session = await newSession(body);
      const account = await credentials.check(identifiedUserId(body, serverName), body.password);
      if (account === undefined) throw wrong();
      return locks.run(account.userId, async () => {
        // While the hash was computed, the password may have been changed or the account deactivated.
        const now = await storage.db.get("accounts", account.userId);
        if (now?.passwordHash !== account.passwordHash) throw wrong();
        const start = await sessions.starting(account.userId, session);
        return storage.commit((write) => record(write, start(write)));
      });
    });
  }
}

/** The same for each reason, so that it says nothing about which accounts there are. */
const wrong = () => forbidden("The username or the password is wrong.");
