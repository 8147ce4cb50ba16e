import { oauthError } from "./errors.ts";

/** Each token of today, and as it was called before it was in the spec, which clients still ask for. */
const apis = ["urn:matrix:client:api:*", "urn:matrix:org.matrix.msc2967.client:api:*"];
const devices = ["urn:matrix:client:device:", "urn:matrix:org.matrix.msc2967.client:device:"];

/** The alphabet of a scope token in RFC 6749 section 3.3. */
const tokenGrammar = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
/** As much as any device id here may have. */
const maxDeviceIdLength = 255;

/** `granted`: those of the tokens asked for that mean something here, as they were spelled. */
export type Scope = { deviceId: string; granted: string };

/**
 * What a client asks for when it wants to log in. Tokens that are not known are not granted, and no error: clients of
 * OpenID Connect ask for `openid` as well.
 * @param text - scope tokens, separated by spaces
 * @throws {MatrixError} invalid_scope (400) for a token of other characters, unless full access is asked for, and
 *   unless there is exactly one device. The same one may be named in the old spelling too.
 * @see https://spec.matrix.org/v1.19/client-server-api/#scope
 */
export function parseScope(text: string): Scope {
  const tokens = [...new Set(text.split(" ").filter((token) => token !== ""))];
  if (!tokens.every((token) => tokenGrammar.test(token))) {
    throw oauthError("invalid_scope", "The scope holds a character that no scope may have.");
  }
  const known = tokens.filter((token) => apis.includes(token) || deviceOf(token) !== undefined);
  if (!known.some((token) => apis.includes(token))) {
    throw oauthError("invalid_scope", `The scope must hold ${apis[0]}: nothing less can be given here.`);
  }
  const [deviceId, ...others] = new Set(known.flatMap((token) => deviceOf(token) ?? []));
  if (deviceId === undefined || others.length > 0) {
    throw oauthError("invalid_scope", `The scope must name exactly one device, as ${devices[0]}<device ID>.`);
  }
  if (deviceId === "" || deviceId.length > maxDeviceIdLength) {
    throw oauthError("invalid_scope", `A device ID has 1 to ${maxDeviceIdLength} characters.`);
  }
  return { deviceId, granted: known.join(" ") };
}

function deviceOf(token: string): string | undefined {
  const prefix = devices.find((prefix) => token.startsWith(prefix));
  return prefix && token.slice(prefix.length);
}
