import { isPublicHost } from "../../matrix/public-hosts.ts";
import type { EgressKind, EgressTarget } from "./api.ts";

type Rules = {
  /** Whether http will do. */
  http: boolean;
  /** `any`: the owner of this server has named the URL, which may lead into their own network. */
  hosts: "public" | "any";
  /** A redirect could lead to where one would not have been sent to begin with, and only pages are known to move. */
  redirects: boolean;
};

export const rulesOf: Record<EgressKind, Rules> = {
  push: { http: false, hosts: "public", redirects: false },
  "app-service": { http: true, hosts: "any", redirects: false },
  preview: { http: true, hosts: "public", redirects: true },
};

/** Why a URL is not to be asked, as a sentence; undefined where it may be. */
export function refusalOf({ kind, url }: EgressTarget): string | undefined {
  const { http, hosts } = rulesOf[kind];
  if (!URL.canParse(url)) return "This is no URL.";
  const { protocol, hostname, username, password } = new URL(url);
  if (protocol !== "https:" && !(http && protocol === "http:")) {
    return http ? "Only http and https URLs are asked." : "Only https URLs are asked.";
  }
  if (username !== "" || password !== "") return "A URL with a name and a password is not asked.";
  return hosts === "any" || isPublicHost(hostname) ? undefined : "This host is not on the public internet.";
}
