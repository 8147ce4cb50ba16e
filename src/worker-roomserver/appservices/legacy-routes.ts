import { isJsonObject } from "../../matrix/json.ts";
import { parseJsonText } from "../../matrix/json-text.ts";
import type { AppServiceAnswer } from "./client.ts";

const VERSION = "/_matrix/app/v1";

/**
 * Whether a service has said that it does not know what was asked of it, not that there is no such user or room. Those of
 * before version 1 say it in no certain form.
 * @see https://spec.matrix.org/v1.19/application-service-api/#unknown-routes
 */
export function isUnknownRoute({ status, body }: AppServiceAnswer): boolean {
  if (![404, 405, 501].includes(status)) return false;
  const errcode = errcodeOf(body);
  return errcode === undefined || errcode === "M_UNRECOGNIZED";
}

/**
 * Where a service of before version 1 has what is asked for, with the token where it looks for it.
 * @param path - with its query
 * @returns undefined for what there was not yet
 * @see https://spec.matrix.org/v1.19/application-service-api/#legacy-routes
 */
export function legacyRoute(path: string, hsToken: string): string | undefined {
  const route = path.slice(VERSION.length);
  const legacy = /^\/(transactions|users|rooms)\//.test(route)
    ? route
    : route.startsWith("/thirdparty/")
      ? `/_matrix/app/unstable${route}`
      : undefined;
  return legacy && `${legacy}${legacy.includes("?") ? "&" : "?"}access_token=${encodeURIComponent(hsToken)}`;
}

function errcodeOf(body: string): string | undefined {
  try {
    const said = parseJsonText(body, { integersOnly: false });
    return isJsonObject(said) && typeof said.errcode === "string" ? said.errcode : undefined;
  } catch {
    return undefined; // a web server's own page
  }
}
