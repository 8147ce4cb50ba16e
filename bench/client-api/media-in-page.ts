/* As in ../in-page.ts: each function stands alone. Some run in the homeserver's worker. */

type WithFile = typeof globalThis & { benchFile: Blob };

/** Makes a file that nothing can compress. */
export function makeFile(bytes: number): void {
  const content = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(content.subarray(at, at + 65_536));
  (globalThis as WithFile).benchFile = new Blob([content], { type: "application/octet-stream" });
}

/** Uploads the file over the client API. */
export async function upload(token: string): Promise<{ ms: number; uri: string }> {
  const { benchFile } = globalThis as WithFile;
  const started = performance.now();
  const response = await fetch("/_matrix/media/v3/upload", {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/octet-stream" },
    body: benchFile,
  });
  if (!response.ok) throw new Error(`upload: ${response.status} ${await response.text()}`);
  const { content_uri } = (await response.json()) as { content_uri: string };
  return { ms: performance.now() - started, uri: content_uri };
}

/**
 * Downloads all of a file, or a part. Read piece by piece, like the floor: `arrayBuffer()` of a Response takes twice as
 * long as its bytes do, wherever they come from.
 * @returns milliseconds until the last byte is there
 */
export async function download(options: {
  uri: string;
  token: string;
  /** As many are expected. */
  bytes: number;
  part?: { from: number; to: number };
}): Promise<number> {
  const { uri, token, bytes, part } = options;
  const started = performance.now();
  const response = await fetch(`/_matrix/client/v1/media/download/${uri.slice("mxc://".length)}`, {
    headers: {
      authorization: `Bearer ${token}`,
      ...(part && { range: `bytes=${part.from}-${part.to - 1}` }),
    },
    cache: "no-store",
  });
  let read = 0;
  const reader = response.body!.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) read += next.value.length;
  if (read !== bytes) throw new Error(`download: ${response.status}, ${read} bytes`);
  return performance.now() - started;
}

/** Puts the file into a database of its own. @returns milliseconds until it is on the disk */
export async function floorPut(): Promise<number> {
  const { benchFile } = globalThis as WithFile;
  const db = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open("bench-floor", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("blobs");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const started = performance.now();
  await new Promise<void>((resolve, reject) => {
    const tx = db.transaction("blobs", "readwrite", { durability: "strict" });
    tx.objectStore("blobs").put(benchFile, 1);
    tx.oncomplete = () => resolve();
    tx.onabort = () => reject(tx.error);
  });
  const ms = performance.now() - started;
  db.close();
  return ms;
}

/** Gets it, and reads it from one byte up to another. @returns milliseconds */
export async function floorGet({ from, to }: { from: number; to: number }): Promise<number> {
  const db = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open("bench-floor", 1);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const started = performance.now();
  const blob = await new Promise<Blob>((resolve, reject) => {
    const request = db.transaction("blobs").objectStore("blobs").get(1);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const reader = blob.slice(from, to).stream().getReader();
  while (!(await reader.read()).done);
  const ms = performance.now() - started;
  db.close();
  return ms;
}
