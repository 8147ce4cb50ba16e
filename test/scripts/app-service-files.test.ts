import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { followAppServiceFiles } from "../../scripts/headless/app-service-files.mjs";

let folder: string;
/** What the homeserver has, by id. */
let services: Map<string, string>;
let asked: string[];
const followed: { close(): void }[] = [];

const page = {
  ask: async (method: string, target: string, body?: object | string) => {
    const id = decodeURIComponent(target.split("/")[4] ?? "");
    asked.push(`${method} ${id}`);
    if (method === "GET") return { app_services: [...services.keys()].map((id) => ({ id })) };
    if (method === "DELETE") return services.delete(id);
    const text = String(body);
    const added = /^id: (\w+)/.exec(text)?.[1] ?? "";
    if (services.has(added)) throw new Error("It is there already.");
    return services.set(added, text);
  },
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hearth-services-"));
  services = new Map();
  asked = [];
});
afterEach(async () => {
  for (const each of followed.splice(0)) each.close();
  await rm(folder, { recursive: true });
});

const fileOf = (name: string) => join(folder, name);
const write = (name: string, text: string) => writeFile(fileOf(name), text);
async function follow(...names: string[]) {
  const one = await followAppServiceFiles({ profile: folder, appServices: names.map(fileOf) }, page);
  followed.push(one);
  return one;
}
const changes = () => asked.filter((each) => !each.startsWith("GET"));

test("a service is registered once, and not again at the next start: what waits for it would be lost", async () => {
  await write("a.yaml", "id: irc\nas_token: one");
  (await follow("a.yaml")).close();
  expect(services.get("irc")).toBe("id: irc\nas_token: one");
  asked = [];
  await follow("a.yaml");
  expect(changes()).toEqual([]);
});

test("a file that has changed while nobody looked is registered anew", async () => {
  await write("a.yaml", "id: irc\nas_token: one");
  (await follow("a.yaml")).close();
  await write("a.yaml", "id: irc\nas_token: two");
  await follow("a.yaml");
  expect(services).toEqual(new Map([["irc", "id: irc\nas_token: two"]]));
});

test("a file is followed, also where an editor puts another in its place, with another id", async () => {
  await write("a.yaml", "id: irc");
  await follow("a.yaml");
  await write("b.tmp", "id: slack");
  await rename(fileOf("b.tmp"), fileOf("a.yaml"));
  await vi.waitFor(() => expect([...services.keys()]).toEqual(["slack"]), { timeout: 10_000 });
});

test("a file that makes no sense leaves the service as it was, and is told", async () => {
  const told = vi.spyOn(console, "error").mockImplementation(() => undefined);
  await write("a.yaml", "id: irc");
  await follow("a.yaml");
  await write("a.yaml", "no: id");
  await vi.waitFor(() => expect(told).toHaveBeenCalledWith(expect.stringContaining("has no id")), {
    timeout: 10_000,
  });
  expect([...services.keys()]).toEqual(["irc"]);
  told.mockRestore();
});

test("a service whose file is not named any more is ended, and others stay", async () => {
  services.set("of_the_console", "id: of_the_console");
  await write("a.yaml", "id: irc");
  await write("b.yaml", "id: slack");
  (await follow("a.yaml", "b.yaml")).close();
  await follow("b.yaml");
  expect([...services.keys()].sort()).toEqual(["of_the_console", "slack"]);
});

test("a service that was registered by another way is taken over", async () => {
  services.set("irc", "id: irc\nas_token: old");
  await write("a.yaml", "id: irc\nas_token: new");
  await follow("a.yaml");
  expect(services.get("irc")).toBe("id: irc\nas_token: new");
});

test("a file that is not there, or is no registration, is a failure at the start", async () => {
  await expect(follow("none.yaml")).rejects.toThrow("cannot be read");
  await write("a.yaml", "{");
  await expect(follow("a.yaml")).rejects.toThrow("has no id");
});
