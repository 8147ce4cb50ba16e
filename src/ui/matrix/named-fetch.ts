/**
 * `fetch` that names each request, so that the homeserver carries it out once, even if the browser stops the service
 * worker in the middle and gives the same request to the next one.
 */
export const namedFetch: typeof fetch = (input, init) => {
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
  headers.set("X-Hearth-Request", crypto.randomUUID());
  return fetch(input, { ...init, headers });
};
