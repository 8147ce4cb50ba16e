import { createServer } from "node:http";
import sirv from "sirv";

/**
 * Serves a folder over HTTP on the loopback address. Files below `assets/` carry a hash in their name and
 * are kept for ever; everything else (the page, sw.js, the icons) is asked for again each time, so that an
 * update is seen at the next load.
 * @param {string} folder - as it is now; files that are added later are not seen
 * @param {number} port - 0 takes any free one
 * @returns {Promise<{ url: string, close(): Promise<void> }>} the URL ends in a slash
 * @throws the error of `listen`, with its code (EADDRINUSE, EACCES)
 */
export async function serveFolder(folder, port) {
  const handle = sirv(folder, {
    etag: true,
    setHeaders: (response, path) => {
      const forEver = path.startsWith("/assets/");
      response.setHeader("Cache-Control", forEver ? "public, max-age=31536000, immutable" : "no-cache");
      response.setHeader("X-Content-Type-Options", "nosniff");
    },
  });
  const server = createServer((request, response) => {
    if (request.method === "GET" || request.method === "HEAD") return handle(request, response);
    response.writeHead(405, { Allow: "GET, HEAD" }).end();
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(undefined));
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no TCP address");
  return {
    url: `http://localhost:${address.port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
