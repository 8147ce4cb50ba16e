import { isPublicHost } from "../../matrix/public-hosts.ts";
import type { EgressKind, EgressTarget } from "./api.ts";

type Rules = {
  /** What a URL may begin with. */
  schemes: readonly ("https:" | "http:" | "matrix:")[];
  /** `any`: the owner of this server has named the URL, which may lead into their own network. */
  hosts: "public" | "any";
  /** A redirect could lead to where one would not have been sent to begin with, and only pages are known to move. */
  redirects: boolean;
};

export const rulesOf: Record<EgressKind, Rules> = {
  // The relay knows which of its own network it may reach.
  federation: { schemes: ["matrix:"], hosts: "any", redirects: false },
  // From another homeserver, or from where that has sent us.
  media: { schemes: ["matrix:", "https:"], hosts: "public", redirects: true },
  push: { schemes: ["https:"], hosts: "public", redirects: false },
  "app-service": { schemes: ["https:", "http:"], hosts: "any", redirects: false },
  preview: { schemes: ["https:", "http:"], hosts: "public", redirects: true },
};

/** Why a URL is not to be asked, as a sentence; undefined where it may be. */
export function refusalOf({ kind, url }: EgressTarget): string | undefined {
  const { schemes, hosts } = rulesOf[kind];
  if (!URL.canParse(url)) return "This is no URL.";
  const { protocol, hostname, username, password } = new URL(url);
  if (!schemes.some((scheme) => scheme === protocol)) {
    return `Only ${schemes.map((scheme) => scheme.slice(0, -1)).join(" and ")} URLs are asked.`;
  }
  if (username !== "" || password !== "") return "A URL with a name and a password is not asked.";
  // A server's name says nothing of where it is: the relay finds that out, and knows where it may go.
  return hosts === "any" || protocol === "matrix:" || isPublicHost(hostname)
    ? undefined
    : "This host is not on the public internet.";
}
