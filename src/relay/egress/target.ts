import { isServerName, quote, type ServerName } from "../../matrix/server-names.ts";
import type { Purpose } from "./api.ts";
import { EgressFailure } from "./failure.ts";
import { mediaOfServers, purposeRules } from "./purposes.ts";

/** Where a request goes: to whom a server name leads, or to a host. `path` has the query, byte for byte as it came. */
export type Target =
  | { scheme: "matrix"; serverName: ServerName; path: string }
  | { scheme: "https" | "http"; host: string; port: number; path: string };

const maxTarget = 16_384;
const form = /^(matrix|https|http):\/\/([^/?#\\@]+)(\/[^#\\]*)$/;
/** What may stand in a request line: anything else would end it, or be read differently by the next server. */
const visible = /^[\x21-\x7e]+$/;
const dotSegment = /(^|\/)(\.|%2e){1,2}(\/|$)/i;

/**
 * Whether the purpose allows this request, by its method and target alone.
 * @throws {EgressFailure} refused
 */
export function parseTarget(purpose: Purpose, method: string, text: string): Target {
  const rules = purposeRules[purpose];
  if (!rules.methods.includes(method)) throw refused(`${quote(method)} is not sent for ${purpose}.`);
  const match = text.length <= maxTarget && visible.test(text) ? form.exec(text) : null;
  if (match === null) throw refused(`${quote(text)} is not a target: it should look like https://host/path.`);
  const [, scheme = "", authority = "", path = ""] = match;
  const target = targetOf(scheme, authority, path);
  const pathAlone = path.split("?", 1)[0] ?? "";
  // A server in front of the one that is asked may resolve them, and the rules below would have been for nothing.
  if (dotSegment.test(pathAlone)) throw refused("A path with . or .. in it is not asked for.");
  const allowed = purpose === "media" && target.scheme === "matrix" ? mediaOfServers : rules.path;
  if (!rules.schemes.includes(target.scheme) || !allowed.test(pathAlone)) {
    throw refused(`${quote(text)} is not asked for ${purpose}.`);
  }
  return target;
}

function targetOf(scheme: string, authority: string, path: string): Target {
  if (scheme === "matrix") {
    if (!isServerName(authority)) throw refused(`${quote(authority)} is not a server name.`);
    return { scheme, serverName: authority, path };
  }
  const secure = scheme === "https";
  const url = URL.parse(`${scheme}://${authority}/`);
  if (url === null || url.hostname === "") throw refused(`${quote(authority)} is not a host.`);
  // Addresses have many spellings (127.1, 0x7f000001); the URL parser leaves one.
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return { scheme: secure ? "https" : "http", host, port: Number(url.port) || (secure ? 443 : 80), path };
}

const refused = (why: string) => new EgressFailure("refused", why);
