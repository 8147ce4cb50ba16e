import { encodeBase64 } from "../../matrix/base64.ts";
import type { TurnSettings } from "../settings/api.ts";
import type { TurnCredentials } from "./api.ts";

/**
 * Credentials that a TURN server can check that shares a secret with this one: when they end and whose they are, and the
 * HMAC-SHA1 of that. (coturn's `use-auth-secret`, as draft-uberti-behave-turn-rest-00 describes it.)
 * @param now - milliseconds since 1970
 */
export async function turnCredentials(
  settings: TurnSettings,
  userId: string,
  now: number,
): Promise<TurnCredentials> {
  const { uris, ttl } = settings;
  if (!("secret" in settings)) {
    return { username: settings.username, password: settings.password, uris, ttl };
  }
  const username = `${Math.floor(now / 1000) + ttl}:${userId}`;
  return { username, password: await hmacSha1(settings.secret, username), uris, ttl };
}

async function hmacSha1(secret: string, text: string): Promise<string> {
  const utf8 = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-1" };
  const key = await crypto.subtle.importKey("raw", utf8.encode(secret), algorithm, false, ["sign"]);
  // With its padding: the TURN server compares it as text.
  return padded(encodeBase64(new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8.encode(text)))));
}

const padded = (base64: string) => base64.padEnd(Math.ceil(base64.length / 4) * 4, "=");
