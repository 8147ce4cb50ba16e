import { encodeBase64, encodeBase64Url } from "../../matrix/base64.ts";

const randomBytes = (count: number) => crypto.getRandomValues(new Uint8Array(count));

/** What begins each secret of ours, so that one in a log or a repository is seen for what it is. */
type Prefix =
  | "hearth_access"
  | "hearth_refresh"
  | "hearth_login"
  | "hearth_openid"
  | "hearth_uia"
  | "hearth_nonce"
  | "hearth_code"
  | "hearth_device_code"
  | "hearth_page";

/** 256 random bits behind a prefix. */
export function newSecret(prefix: Prefix): string {
  return `${prefix}_${encodeBase64Url(randomBytes(32))}`;
}

/** The key under which a token is stored. */
export async function hashToken(token: string): Promise<string> {
  return encodeBase64(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token))));
}

export type NewToken = { token: string; hash: string };

export async function newToken(kind: "access" | "refresh" | "login" | "openid"): Promise<NewToken> {
  const token = newSecret(`hearth_${kind}`);
  return { token, hash: await hashToken(token) };
}
