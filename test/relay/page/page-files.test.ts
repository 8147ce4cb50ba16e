import { expect, test } from "vitest";
import { serveFolder } from "../../../scripts/support/static-server.mjs";
import { openPage } from "../../../src/relay/page/page-files.ts";
import { atTheEnd } from "../support/at-the-end.ts";
import { makeFolder } from "../support/folder.ts";

async function folder() {
  const path = await makeFolder();
  await Deno.mkdir(`${path}/assets`);
  await Deno.mkdir(`${path}/nested`);
  for (const name of [
    "index.html",
    "sw.js",
    "manifest.webmanifest",
    "icon.svg",
    "assets/a-1.js",
    "assets/b.wasm",
    "nested/index.html",
  ]) {
    await Deno.writeTextFile(`${path}/${name}`, `content of ${name}`);
  }
  await Deno.writeTextFile(`${path}/../hearth-relay-outside.txt`, "outside");
  atTheEnd(() => Deno.remove(`${path}/../hearth-relay-outside.txt`));
  return path;
}

const names = ["content-type", "cache-control", "x-content-type-options", "content-length"];
const seen = async (response: Response) => ({
  status: response.status,
  headers: names.map((name) => response.headers.get(name)),
  text: await response.text(),
});

test("the relay serves the page as the static server of the tests does", async () => {
  const path = await folder();
  const page = await openPage(path);
  const other = await serveFolder(path, 0);
  atTheEnd(other.close);
  for (const file of [
    "",
    "index.html",
    "sw.js",
    "manifest.webmanifest",
    "icon.svg",
    "assets/a-1.js",
    "assets/b.wasm",
    "nested/",
  ]) {
    const mine = await page(new Request(`${other.url}${file}`));
    expect(await seen(mine), file).toEqual(await seen(await fetch(`${other.url}${file}`)));
  }
});

test("what has not changed is not sent again; HEAD has no body", async () => {
  const page = await openPage(await folder());
  const etag = (await page(new Request("http://h/"))).headers.get("etag") ?? "";
  const again = await page(new Request("http://h/", { headers: { "if-none-match": etag } }));
  expect([again.status, await again.text()]).toEqual([304, ""]);
  const head = await page(new Request("http://h/sw.js", { method: "HEAD" }));
  expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "16", ""]);
});

test.each([
  "/../hearth-relay-outside.txt",
  "/..%2fhearth-relay-outside.txt",
  "/%2e%2e/hearth-relay-outside.txt",
  "/assets",
  "/assets/",
  "//etc/passwd",
  "/nope",
  "/nested/..\\..\\x",
])("%s is not there", async (path) => {
  const page = await openPage(await folder());
  const request = Object.defineProperty(new Request("http://h/"), "url", { value: `http://h${path}` });
  expect((await page(request)).status).toBe(404);
});

test("the page is only read", async () => {
  const page = await openPage(await folder());
  const response = await page(new Request("http://h/", { method: "POST" }));
  expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});
