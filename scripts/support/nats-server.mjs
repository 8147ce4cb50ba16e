import { findProgram, installWithApt } from "./programs.mjs";
import { say } from "./steps.mjs";

/**
 * Finds nats-server or installs it with apt-get: the relay's tests as a cluster need the real one.
 * @returns {Promise<string | undefined>} its path; undefined where it cannot be had, so that those tests are skipped
 * @throws {import("./steps.mjs").Failure} when HEARTH_NATS_SERVER names no program
 */
export async function ensureNatsServer() {
  const find = () => findProgram("HEARTH_NATS_SERVER", ["nats-server"], ["/usr/sbin", "/usr/local/sbin"]);
  const found = find();
  if (found) return found;
  await installWithApt("nats-server", "the tests of several relays as one");
  const installed = find();
  if (!installed) {
    say(
      "nats-server is missing and could not be installed: the tests of several relays as one are skipped. Install " +
        "it yourself (Debian: apt-get install nats-server) or set HEARTH_NATS_SERVER to the path of one.",
    );
  }
  return installed;
}
