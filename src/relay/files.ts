import { rename, writeFile } from "node:fs/promises";

/** Writes a file that only this user can read, so that it is there whole or as it was before, whenever the process ends. */
export async function writeSecret(path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  await writeFile(beside, text, { mode: 0o600, flush: true });
  await rename(beside, path);
}

/** The text of a file. @returns undefined where there is none */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
