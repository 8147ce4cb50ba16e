/** The way out to web servers. */
export interface Egress {
  /**
   * Fetches with GET, following redirects, without anything that tells who asks.
   * @throws TypeError where there is no way to that server; DOMException when the time is over
   */
  get(url: URL, options: { accept: string; signal: AbortSignal }): Promise<Response>;
}

/** The page's own requests: they reach only servers that allow every origin to read their answers. */
export const directEgress: Egress = {
  get: (url, { accept, signal }) =>
    fetch(url, {
      headers: { Accept: accept },
      credentials: "omit",
      referrerPolicy: "no-referrer",
      cache: "no-store",
      signal,
    }),
};

/**
 * Reads the beginning of a body, and no more of it.
 * @returns undefined for a body with more bytes than that, unless `orPart`
 */
export async function readUpTo(
  response: Response,
  maxBytes: number,
  orPart = false,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    length += value.length;
    if (length > maxBytes) {
      await reader.cancel();
      if (!orPart) return undefined;
      break;
    }
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole.subarray(0, maxBytes);
}
