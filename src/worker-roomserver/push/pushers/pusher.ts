import { forbidden, invalidParam, missingParam } from "../../../matrix/errors.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import { isPublicHost } from "../../../matrix/public-hosts.ts";
import { NOTIFY_PATH } from "../../../matrix/push-gateway.ts";
import { utf8Length } from "../../../matrix/utf8.ts";
import type { ClientPusher, PusherBody } from "../api.ts";

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3pushersset */
const MAX_APP_ID_CHARACTERS = 64;
const MAX_PUSHKEY_BYTES = 512;
/** A device has one or two; each is told of every notification. */
const MAX_PUSHERS = 100;
/** Names and data of one pusher, as JSON: they are sent along each time. */
const MAX_PUSHER_CHARACTERS = 16 * 1024;

/**
 * The pusher that a body asks for, undefined for one that asks for its removal.
 * @throws MatrixError 400: M_MISSING_PARAM, M_INVALID_PARAM
 */
export function wantedPusher(body: PusherBody): ClientPusher | undefined {
  const { app_id, pushkey, kind, profile_tag } = body;
  if ([...app_id].length > MAX_APP_ID_CHARACTERS) {
    throw invalidParam(`"app_id" may have at most ${MAX_APP_ID_CHARACTERS} characters.`);
  }
  if (utf8Length(pushkey) > MAX_PUSHKEY_BYTES) {
    throw invalidParam(`"pushkey" may have at most ${MAX_PUSHKEY_BYTES} bytes.`);
  }
  if (kind === null) return undefined;
  if (kind !== "http") throw invalidParam('The only "kind" of pusher that this server has is "http".');
  const { app_display_name, device_display_name, lang, data } = body;
  if (
    app_display_name === undefined ||
    device_display_name === undefined ||
    lang === undefined ||
    data === undefined
  ) {
    const required = { app_display_name, device_display_name, lang, data };
    const missing = Object.entries(required).filter(([, value]) => value === undefined);
    throw missingParam(`Missing parameters: ${missing.map(([name]) => name).join(", ")}`);
  }
  checkGateway(data.url);
  const pusher: ClientPusher = {
    pushkey,
    kind,
    app_id,
    app_display_name,
    device_display_name,
    lang,
    data,
    ...(profile_tag !== undefined && { profile_tag }),
  };
  if (JSON.stringify(pusher).length > MAX_PUSHER_CHARACTERS) throw invalidParam("This pusher is too large.");
  return pusher;
}

/** @throws MatrixError M_FORBIDDEN 403 */
export function checkNumber(present: number): void {
  if (present >= MAX_PUSHERS) throw forbidden(`There can be at most ${MAX_PUSHERS} pushers: remove some.`);
}

function checkGateway(url: JsonObject[string]): void {
  if (url === undefined) throw missingParam('"data.url" is missing.');
  const parsed = typeof url === "string" && URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== "https:" || parsed.pathname !== NOTIFY_PATH) {
    throw invalidParam(`"data.url" must be an https URL with the path ${NOTIFY_PATH}.`);
  }
  if (!isPublicHost(parsed.hostname))
    throw invalidParam('"data.url" must be of a host on the public internet.');
}
