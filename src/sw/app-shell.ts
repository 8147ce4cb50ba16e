import { getCacheKeyForURL, matchPrecache } from "workbox-precaching";

/**
 * Answers from the precached app shell, so that the page starts without a network.
 * @param scope - URL of the folder that the page is served from, with a slash at its end
 * @returns undefined for what the browser should fetch as if there were no service worker
 */
export function shellAnswer(request: Request, scope: string): Promise<Response> | undefined {
  if (request.method !== "GET") return undefined;
  const { origin, pathname } = new URL(request.url);
  // The relay that serves the page answers there itself.
  if (pathname.startsWith("/_relay/")) return undefined;
  const address = origin + pathname;
  const file = address === scope ? `${scope}index.html` : address;
  if (getCacheKeyForURL(file) !== undefined) return cachedOrFetched(file, request);
  // Other pages may live below the scope, such as another Matrix client. Without a network, there is this one.
  if (request.mode === "navigate") return fetch(request).catch(() => Response.redirect(scope));
  return undefined;
}

async function cachedOrFetched(file: string, request: Request): Promise<Response> {
  return (await matchPrecache(file)) ?? fetch(request);
}
