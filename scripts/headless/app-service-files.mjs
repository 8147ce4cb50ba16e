import { createHash } from "node:crypto";
import { unwatchFile, watchFile } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parse } from "yaml";
import { Failure } from "../support/steps.mjs";

/** Milliseconds between looks at a file: whoever edits one does not wait for it. */
const LOOK_EVERY = 1_000;

/**
 * What was registered, by the file that it came from: a service that is registered anew would lose what waits for it.
 * @typedef {{ [path: string]: { id: string, hash: string } }} Registered
 */

/**
 * Registers what stands in the files, and follows them. A service whose file is not among them any more is ended.
 * @param {{ profile: string, appServices: string[] }} options
 * @param {Pick<import("./page.mjs").HomeserverPage, "ask">} page
 * @returns {Promise<{ close(): void }>}
 * @throws {Failure} for a file that cannot be read or registered at the start; later ones are told on stderr
 */
export async function followAppServiceFiles({ profile, appServices }, page) {
  const files = appServices.map((file) => resolve(file));
  const record = resolve(profile, "hearth-app-services.json");
  const registered = /** @type {Registered} */ (JSON.parse(await readFile(record, "utf8").catch(() => "{}")));
  const save = async () => {
    await writeFile(`${record}.new`, JSON.stringify(registered));
    await rename(`${record}.new`, record);
  };
  const end = (/** @type {string} */ id) =>
    page.ask("DELETE", `/_hearth/v1/app_services/${encodeURIComponent(id)}`);

  const take = async (/** @type {string} */ file) => {
    const text = await readFile(file, "utf8").catch((error) => {
      throw new Failure(`${file} cannot be read: ${error.message}`);
    });
    const hash = createHash("sha256").update(text).digest("hex");
    const before = registered[file];
    const { app_services: services } = await page.ask("GET", "/_hearth/v1/app_services");
    const isThere = (/** @type {string} */ id) =>
      services.some((/** @type {{ id: string }} */ one) => one.id === id);
    if (before !== undefined && before.hash === hash && isThere(before.id)) return;
    const id = idOf(text, file);
    for (const old of new Set([id, before?.id])) {
      if (old !== undefined && isThere(old)) await end(old);
    }
    await page.ask("POST", "/_hearth/v1/app_services", text);
    registered[file] = { id, hash };
    await save();
  };

  for (const [file, { id }] of Object.entries(registered)) {
    if (files.includes(file)) continue;
    await end(id);
    delete registered[file];
    await save();
  }
  for (const file of files) await take(file);

  // One after the other: two changes of a file at once would both register it.
  let last = Promise.resolve();
  for (const file of files) {
    watchFile(file, { interval: LOOK_EVERY }, () => {
      last = last.then(() => take(file)).catch((error) => console.error(`hearth: ${error.message}`));
    });
  }
  return {
    close: () => {
      for (const file of files) unwatchFile(file);
    },
  };
}

/**
 * @param {string} text
 * @param {string} file
 * @returns {string}
 */
function idOf(text, file) {
  try {
    const { id } = parse(text) ?? {};
    if (typeof id === "string") return id;
  } catch {
    // The sentence below is true of it as well.
  }
  throw new Failure(`${file} is not the registration of an application service: it has no id.`);
}
