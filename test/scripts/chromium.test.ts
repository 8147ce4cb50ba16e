import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findChromium } from "../../scripts/support/chromium.mjs";

let folder: string;
let program: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hearth-chromium-"));
  program = join(folder, "google-chrome");
  await writeFile(program, "");
  await chmod(program, 0o755);
});

afterAll(() => rm(folder, { recursive: true }));

test("takes the program that HEARTH_CHROMIUM names before PATH's", () => {
  expect(findChromium({ HEARTH_CHROMIUM: process.execPath, PATH: folder })).toBe(process.execPath);
});

test("says so when HEARTH_CHROMIUM names no program", () => {
  expect(() => findChromium({ HEARTH_CHROMIUM: join(folder, "none"), PATH: folder })).toThrow(
    "HEARTH_CHROMIUM",
  );
});

test("finds a browser on PATH, and none where there is none", () => {
  expect(findChromium({ PATH: folder })).toBe(program);
  expect(findChromium({ PATH: join(folder, "empty") })).toBeUndefined();
});
