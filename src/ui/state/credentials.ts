import { namedFetch } from "../matrix/named-fetch.ts";
import { generatePassword } from "../model/password.ts";
import { createClient, type RegisterResponse } from "../sdk.ts";
import type { Account } from "./accounts.ts";

const deviceName = "Hearth";

/**
 * Creates an account. Without a password it gets a generated one, which only this browser knows.
 * @throws the SDK's MatrixError, such as M_USER_IN_USE (400)
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3register
 */
export async function register(baseUrl: string, username: string, password: string): Promise<Account> {
  const client = createClient({ baseUrl, fetchFn: namedFetch });
  const generated = password === "" ? generatePassword(randomBytes) : undefined;
  const request = { username, password: generated ?? password, initial_device_display_name: deviceName };
  const tryWith = (session?: string) =>
    client.registerRequest({ ...request, auth: { type: "m.login.dummy", ...(session ? { session } : {}) } });
  let answer: RegisterResponse;
  try {
    answer = await tryWith();
  } catch (error) {
    const session = sessionOffered(error);
    if (session === null) throw error;
    answer = await tryWith(session);
  }
  if (!answer.access_token || !answer.device_id)
    throw new Error("The homeserver made the account, but no login.");
  return {
    userId: answer.user_id,
    deviceId: answer.device_id,
    accessToken: answer.access_token,
    ...(generated === undefined ? {} : { generatedPassword: generated }),
  };
}

/**
 * Signs in to an account that exists.
 * @param user - a localpart or a whole user id
 * @throws the SDK's MatrixError, such as M_FORBIDDEN (403) for a wrong password
 */
export async function signIn(baseUrl: string, user: string, password: string): Promise<Account> {
  const answer = await createClient({ baseUrl, fetchFn: namedFetch }).loginRequest({
    type: "m.login.password",
    identifier: { type: "m.id.user", user },
    password,
    initial_device_display_name: deviceName,
  });
  return { userId: answer.user_id, deviceId: answer.device_id, accessToken: answer.access_token };
}

/** The session of an answer that asks for another stage of authentication (401); else null. */
function sessionOffered(error: unknown): string | null {
  const { httpStatus, data } = Object(error) as { httpStatus?: unknown; data?: { session?: unknown } };
  return httpStatus === 401 && typeof data?.session === "string" ? data.session : null;
}

function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}
