// What the build and test tools support together (eslint, vite and vitest have the narrowest ranges).
const supported = "20.19 or newer of 20, 22.13 or newer of 22, or 24 and newer";

/**
 * @param {string} version - as in `process.versions.node`
 * @returns {string | undefined} a line for the user when this Node cannot run the project
 */
export function nodeVersionProblem(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const fits = major >= 24 || (major === 22 && minor >= 13) || (major === 20 && minor >= 19);
  return fits
    ? undefined
    : `Node ${version} is too old or no long-term version: install Node ${supported} (https://nodejs.org).`;
}
