import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const usual = "../shared/matrix-spec";

/**
 * The folder of the specification's data (its README there says what is in it), which is no part of this repository.
 * @returns undefined where it is not
 * @throws Error when HEARTH_MATRIX_SPEC names a folder without it: that is a mistake, and no reason to test less
 */
export function specFolder(): string | undefined {
  const named = process.env.HEARTH_MATRIX_SPEC;
  const folder = named ?? root + usual;
  if (existsSync(`${folder}/operations.json`)) return folder;
  if (named !== undefined) throw new Error("HEARTH_MATRIX_SPEC names a folder without operations.json");
  return undefined;
}

export const howToGetIt =
  `the data of the Matrix specification is not there, so what needs it is skipped: it is looked for in ${usual}, ` +
  "or where the environment variable HEARTH_MATRIX_SPEC says";
