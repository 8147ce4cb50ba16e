/** Nothing but printable ASCII: what a parser of URLs would drop or mend is not let in to begin with. */
const plain = /^[\x21-\x5b\x5d-\x7e]{1,2048}$/;
const loopback = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?(?=[/?]|$)/;

function parsed(uri: string): URL | undefined {
  if (!plain.test(uri)) return undefined;
  try {
    return new URL(uri);
  } catch {
    return undefined; // the constructor's only way to say that it is no URL
  }
}

/** The host of an `https` URI that names no user; undefined for any other. */
export function httpsHost(uri: string): string | undefined {
  const url = parsed(uri);
  if (url === undefined || !/^https:\/\//i.test(uri)) return undefined;
  if (url.username !== "" || url.password !== "" || /^https:\/\/[^/?#]*@/i.test(uri)) return undefined;
  return url.hostname;
}

/** Whether it is an `https` URI of the host or a subdomain of it. */
export function isAtHost(uri: string, host: string): boolean {
  const own = httpsHost(uri);
  return own !== undefined && (own === host || own.endsWith(`.${host}`));
}

/**
 * Whether a client may be sent back to it.
 * @param host - of the client's `client_uri`
 * @see https://spec.matrix.org/v1.19/client-server-api/#redirect-uri-validation
 */
export function isValidRedirectUri(uri: string, type: "web" | "native", host: string): boolean {
  if (uri.includes("#")) return false;
  if (isAtHost(uri, host)) return true;
  return type === "native" && (isPortlessLoopback(uri) || isPrivateUse(uri, host));
}

const isPortlessLoopback = (uri: string) => {
  const match = loopback.exec(uri);
  return match !== null && match[2] === undefined && parsed(uri) !== undefined;
};

/** `com.example.app:/callback` of `example.com`. A host of one label owns no schemes: `com` is everybody's. */
function isPrivateUse(uri: string, host: string): boolean {
  if (!host.includes(".") || parsed(uri) === undefined) return false;
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):(.*)$/i.exec(uri) ?? [];
  if (scheme === undefined || rest === undefined || rest.startsWith("//")) return false;
  const reversed = host.split(".").reverse().join(".");
  const lower = scheme.toLowerCase();
  return lower === reversed || lower.startsWith(`${reversed}.`);
}

/**
 * Whether a redirect URI is one of those that the client has registered: the same text, but for the port of one on
 * the loopback interface, which an app cannot choose beforehand.
 */
export function isRegisteredRedirectUri(uri: string, registered: readonly string[]): boolean {
  if (registered.includes(uri)) return true;
  if (!plain.test(uri) || uri.includes("#")) return false;
  const portless = withoutLoopbackPort(uri);
  return portless !== undefined && registered.some((other) => withoutLoopbackPort(other) === portless);
}

/** Undefined for what is not on the loopback interface. An empty path is the same as `/`. */
function withoutLoopbackPort(uri: string): string | undefined {
  const match = loopback.exec(uri);
  const url = parsed(uri);
  return match === null || url === undefined ? undefined : `${match[1]} ${url.pathname}${url.search}`;
}
