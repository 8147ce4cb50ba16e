import { badJson, invalidParam, MatrixError } from "../../matrix/errors.ts";
import { isServerName } from "../../matrix/identifiers.ts";
import type { JsonObject, JsonValue } from "../../matrix/json.ts";
import { utf8Length } from "../../matrix/utf8.ts";

const maxKeyBytes = 255;
/** The whole profile must be smaller than this. */
const profileBytes = 64 * 1024;
const maxDisplayName = 256;
const maxAvatarUrl = 1_000;
const customKey = /^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)+$/;
const mediaUri = /^mxc:\/\/([^/]+)\/[A-Za-z0-9_-]+$/;

/**
 * Whether a profile may have a field of this name: `displayname`, `avatar_url`, or a name with a namespace.
 * @throws MatrixError M_KEY_TOO_LARGE, M_INVALID_PARAM 400
 * @see https://spec.matrix.org/v1.19/appendices/#common-namespaced-identifier-grammar
 */
export function checkProfileKey(key: string): void {
  if (utf8Length(key) > maxKeyBytes) {
    throw new MatrixError("M_KEY_TOO_LARGE", 400, `A profile field's name has at most ${maxKeyBytes} bytes.`);
  }
  if (key !== "displayname" && key !== "avatar_url" && !customKey.test(key)) {
    throw invalidParam("A profile field is displayname, avatar_url or a name such as org.example.field.");
  }
}

/**
 * The profile with a field set, or removed where `value` is undefined. An empty name or avatar is none: that is how
 * clients take them away that do not know of DELETE.
 * @throws MatrixError M_BAD_JSON, M_INVALID_PARAM for a value that the field cannot have, M_PROFILE_TOO_LARGE (400)
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3profileuseridkeyname
 */
export function withField(profile: JsonObject, key: string, value: JsonValue | undefined): JsonObject {
  const { [key]: _, ...others } = profile;
  if (value === undefined) return others;
  if (key === "displayname" || key === "avatar_url") {
    if (typeof value !== "string") throw badJson(`"${key}" should be a string.`);
    if (value === "") return others;
    if (key === "displayname") checkDisplayName(value);
    else checkAvatarUrl(value);
  }
  if (key === "m.tz" && typeof value !== "string") throw badJson('"m.tz" should be a string.');
  const changed = { ...profile, [key]: value };
  if (utf8Length(JSON.stringify(changed)) >= profileBytes) {
    throw new MatrixError("M_PROFILE_TOO_LARGE", 400, "The whole profile must be under 64 KiB.");
  }
  return changed;
}

function checkDisplayName(name: string): void {
  // It goes into a member event of every room.
  if (name.length <= maxDisplayName) return;
  throw invalidParam(`A display name has at most ${maxDisplayName} characters.`);
}

function checkAvatarUrl(url: string): void {
  if (url.length <= maxAvatarUrl && isServerName(mediaUri.exec(url)?.[1])) return;
  throw invalidParam("An avatar's URL looks like mxc://example.org/media-id.");
}
