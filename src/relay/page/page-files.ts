import { extname } from "node:path";
import { unrecognized } from "../../matrix/errors.ts";

type PageFile = { path: string; type: string; size: number; etag: string };

const types: { [extension: string]: string } = {
  ".html": "text/html;charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".txt": "text/plain",
};

/**
 * Serves the built page. Files below `assets/` carry a hash in their name and are kept for ever; everything else (the
 * page, sw.js, the icons) is asked for again each time, so that an update is seen at the next load.
 * @param folder - as it is now. Files that come later are not seen, and so there is no path that leads out of it.
 */
export async function openPage(folder: string): Promise<(request: Request) => Promise<Response>> {
  const files = new Map<string, PageFile>();
  await collect(folder, "/", files);

  return async (request) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return Response.json(unrecognized("The page is only read.", 405), {
        status: 405,
        headers: { allow: "GET, HEAD" },
      });
    }
    const path = new URL(request.url).pathname;
    const file = files.get(path.endsWith("/") ? `${path}index.html` : path);
    if (file === undefined) return Response.json(unrecognized("There is nothing here."), { status: 404 });
    const headers = {
      "content-type": file.type,
      etag: file.etag,
      "cache-control": path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
      "x-content-type-options": "nosniff",
    };
    if (request.headers.get("if-none-match") === file.etag)
      return new Response(null, { status: 304, headers });
    const sized = { ...headers, "content-length": String(file.size) };
    if (request.method === "HEAD") return new Response(null, { headers: sized });
    return new Response((await Deno.open(file.path)).readable, { headers: sized });
  };
}

async function collect(folder: string, below: string, files: Map<string, PageFile>): Promise<void> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) await collect(path, `${below}${entry.name}/`, files);
    if (!entry.isFile) continue;
    const { size, mtime } = await Deno.stat(path);
    const etag = `W/"${size}-${mtime?.getTime() ?? 0}"`;
    const type = types[extname(entry.name)] ?? "application/octet-stream";
    files.set(`${below}${entry.name}`, { path, type, size, etag });
  }
}
