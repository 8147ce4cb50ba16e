import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { findProgram } from "./programs.mjs";
import { root, run, say } from "./steps.mjs";

/** The release that the interoperability tests are written against. It has wheels for Python 3.10 and newer. */
const RELEASE = "matrix-synapse==1.163.2";
const folder = `${root}.cache/interop/`;
const venv = `${folder}venv`;
/** Written last: an install that was broken off counts as none. */
const note = `${venv}/hearth-installed`;

/**
 * A Synapse of the tests' own, from Python's package index.
 * @returns {Promise<string | undefined>} the path of a Python that has it; undefined, after the reason was said, where
 *   it cannot be had
 */
export async function ensureSynapse() {
  const chosen = process.env.HEARTH_SYNAPSE_PYTHON;
  if (chosen) return chosen;
  const installed = `${venv}/bin/python`;
  if (existsSync(installed) && (await readFile(note, "utf8").catch(() => "")) === RELEASE) return installed;
  const python = findProgram("HEARTH_PYTHON", ["python3", "python"]);
  if (python === undefined) return without("Python is missing");
  await rm(venv, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  say(`installing ${RELEASE} into .cache/interop`);
  if ((await run(python, ["-m", "venv", venv])) !== 0) {
    return without("Python has no venv (Debian: apt-get install python3-venv)");
  }
  // Wheels alone: to build Synapse takes a Rust compiler and half an hour.
  const install = [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--only-binary",
    ":all:",
  ];
  if ((await run(installed, [...install, RELEASE])) !== 0) {
    return without("Python's package index could not be reached, or has no Synapse for this machine");
  }
  await writeFile(note, RELEASE);
  return installed;
}

/**
 * @param {string} why
 * @returns {undefined}
 */
function without(why) {
  say(`${why}: the interoperability tests with Synapse are skipped.`);
}
