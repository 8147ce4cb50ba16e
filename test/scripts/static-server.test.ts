import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serveFolder } from "../../scripts/support/static-server.mjs";

let folder: string;
let server: Awaited<ReturnType<typeof serveFolder>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hearth-static-"));
  await mkdir(join(folder, "assets"));
  for (const name of [
    "index.html",
    "sw.js",
    "app.webmanifest",
    "assets/page-1a2b.js",
    "assets/crypto-1a2b.wasm",
  ]) {
    await writeFile(join(folder, name), name);
  }
  server = await serveFolder(folder, 0);
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

describe("the static server", () => {
  test.each<[path: string, type: string, cache: string]>([
    ["", "text/html;charset=utf-8", "no-cache"],
    ["sw.js", "text/javascript", "no-cache"],
    ["app.webmanifest", "application/manifest+json", "no-cache"],
    ["assets/page-1a2b.js", "text/javascript", "public, max-age=31536000, immutable"],
    ["assets/crypto-1a2b.wasm", "application/wasm", "public, max-age=31536000, immutable"],
  ])("/%s", async (path, type, cache) => {
    const response = await fetch(server.url + path);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(type);
    expect(response.headers.get("cache-control")).toBe(cache);
    expect(await response.text()).toBe(path || "index.html");
  });

  test.each<[what: string, path: string, method: string, status: number]>([
    ["what is not there", "nothing.js", "GET", 404],
    ["what lies outside", "..%2f..%2fetc/passwd", "GET", 404],
    ["a write", "index.html", "PUT", 405],
  ])("refuses %s", async (_, path, method, status) => {
    expect((await fetch(server.url + path, { method })).status).toBe(status);
  });

  test("says with a code that a port is taken", async () => {
    const port = Number(new URL(server.url).port);
    await expect(serveFolder(folder, port)).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});
