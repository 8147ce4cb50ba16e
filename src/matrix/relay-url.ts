import { invalidParam } from "./errors.ts";

/** Hosts of this machine: browsers let a page reach them without TLS, and tests and developers have relays there. */
const here = /^(localhost|127\.0\.0\.1|\[::1\]|.+\.localhost)$/;

/**
 * The origin of a relay, as its owner has typed it in; without a scheme it is https.
 * @throws {MatrixError} M_INVALID_PARAM (400)
 */
export function relayUrl(text: string): string {
  const trimmed = text.trim();
  const address = /^[a-z]+:\/\//i.test(trimmed) ? trimmed : `https://${trimmed}`;
  const url = URL.canParse(address) ? new URL(address) : null;
  const isPlain = url !== null && url.pathname === "/" && url.search === "" && url.hash === "";
  if (!isPlain || url.username !== "" || url.password !== "") {
    throw invalidParam("A relay is named by its address alone, as in https://relay.example.org.");
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && here.test(url.hostname))) {
    throw invalidParam("A relay is reached by https.");
  }
  return url.origin;
}
