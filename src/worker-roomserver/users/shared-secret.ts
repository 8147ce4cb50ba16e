import { badJson, MatrixError, unknown } from "../../matrix/errors.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { Answers } from "../node/answers.ts";
import type { RequestId } from "../node/requester.ts";
import type { SecretLogin, UserSettings } from "./api.ts";
import { checkNewPassword } from "./passwords.ts";
import type { Registration, SecretOrder } from "./registration.ts";
import { newSession } from "./sessions.ts";
import { newSecret } from "./tokens.ts";

const keptMs = 60_000;
/** Anyone can ask for a nonce: the oldest make room, long before those of an honest caller are over. */
const mostNonces = 1_000;
const longest = 512;
const longestDisplayName = 256;
/** Kinds of users that Synapse tells apart. Here they are all the same. */
const userTypes: readonly unknown[] = ["support", "bot"];

export type SharedSecretOptions = {
  answers: Answers;
  now: () => number;
  settings: () => UserSettings;
  registration: Pick<Registration, "registerWithSecret">;
};

/**
 * Makes accounts for who has the server's secret, as bots and test suites ask Synapse for them.
 * @see https://element-hq.github.io/synapse/latest/admin_api/register_api.html
 */
export class SharedSecretRegistration {
  readonly #with: SharedSecretOptions;
  /** When each was given out, oldest first. */
  readonly #nonces = new Map<string, number>();

  constructor(options: SharedSecretOptions) {
    this.#with = options;
  }

  /** @throws MatrixError M_UNKNOWN 400 where there is no secret */
  nonce(): string {
    this.#secret();
    this.#dropOld();
    const nonce = newSecret("hearth_nonce");
    this.#nonces.set(nonce, this.#with.now());
    return nonce;
  }

  /** @see Users.registerWithSecret */
  register(request: RequestId, body: JsonObject): Promise<SecretLogin> {
    return this.#with.answers.once<SecretLogin>(request, async (record) => {
      const order = await this.#checked(body);
      const session = body.inhibit_login === true ? undefined : await newSession(sessionWishes(body));
      return this.#with.registration.registerWithSecret(order, session, record);
    });
  }

  async #checked(body: JsonObject): Promise<SecretOrder> {
    const secret = this.#secret();
    this.#use(body.nonce);
    const order = orderOf(body);
    const { nonce, mac, user_type: userType } = body;
    if (typeof mac !== "string") throw badJson("mac must be specified");
    const { username, password, admin } = order;
    const signed = [nonce, username, password, admin ? "admin" : "notadmin"];
    if (userType !== undefined && userType !== null) signed.push(userType as string);
    if (!(await isMac(secret, signed.join("\0"), mac))) {
      throw new MatrixError("M_FORBIDDEN", 403, "HMAC incorrect");
    }
    return order;
  }

  #secret(): string {
    const { registration_secret: secret } = this.#with.settings();
    if (secret === null) throw unknown("Shared secret registration is not enabled", 400);
    return secret;
  }

  /** Each serves once, for whatever comes with it. */
  #use(nonce: unknown): void {
    if (nonce === undefined) throw badJson("nonce must be specified");
    this.#dropOld();
    if (typeof nonce !== "string" || !this.#nonces.delete(nonce)) throw unknown("unrecognised nonce", 400);
  }

  #dropOld(): void {
    const now = this.#with.now();
    for (const [nonce, at] of this.#nonces) {
      if (now - at <= keptMs && this.#nonces.size < mostNonces) break;
      this.#nonces.delete(nonce);
    }
  }
}

/** Sentences as Synapse has them: there are callers that look at them. */
function orderOf(body: JsonObject): SecretOrder {
  const username = textOf(body, "username");
  const password = textOf(body, "password");
  checkNewPassword(password);
  const { user_type: userType = null, displayname = null } = body;
  if (userType !== null && !userTypes.includes(userType)) throw unknown("Invalid user type", 400);
  const isName = typeof displayname === "string" && displayname.length <= longestDisplayName;
  if (displayname !== null && !isName) throw unknown("Invalid displayname", 400);
  return { username, password, admin: body.admin === true, displayname: displayname ?? undefined };
}

function textOf(body: JsonObject, name: "username" | "password"): string {
  const text = body[name];
  if (text === undefined) throw badJson(`${name} must be specified`);
  if (typeof text === "string" && text.length <= longest && !text.includes("\0")) return text;
  throw unknown(`Invalid ${name}`, 400);
}

function sessionWishes(body: JsonObject): Parameters<typeof newSession>[0] {
  const { device_id: device, initial_device_display_name: name, refresh_token: refresh } = body;
  return {
    ...(typeof device === "string" && { device_id: device }),
    ...(typeof name === "string" && { initial_device_display_name: name }),
    ...(typeof refresh === "boolean" && { refresh_token: refresh }),
  };
}

/** WebCrypto compares in a time that does not tell how much of it was right. @param mac - hexadecimal */
async function isMac(secret: string, text: string, mac: string): Promise<boolean> {
  if (!/^[0-9a-f]{40}$/i.test(mac)) return false;
  const bytes = Uint8Array.from(mac.match(/../g)!, (pair) => Number.parseInt(pair, 16));
  const algorithm = { name: "HMAC", hash: "SHA-1" };
  const encoder = new TextEncoder();
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["verify"]);
  return crypto.subtle.verify("HMAC", key, bytes, encoder.encode(text));
}
