// `npm start [-- --port N]`: from a fresh clone to a page in the browser, served by a relay of one's own. Only what
// Node itself has may be imported up here: the packages may not be installed yet.
import { homedir } from "node:os";
import { parseArgs } from "node:util";
import { ensureDependencies } from "./support/dependencies.mjs";
import { distFolder, ensureDist } from "./support/dist.mjs";
import { Failure, main, say } from "./support/steps.mjs";

function chosenPort() {
  const { values } = parseArgs({ options: { port: { type: "string" } }, strict: false });
  const text = String(values.port ?? process.env.PORT ?? "8008");
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Failure(`the port has to be a number from 0 to 65535, not "${text}".`);
}

/**
 * A relay at another port is another one: it is another origin for browsers, and may run beside the first.
 * @param {number} port
 */
function dataArgs(port) {
  if (port === 8008) return [];
  const base = process.env.XDG_DATA_HOME || `${homedir()}/.local/share`;
  return ["--data", `${base}/hearth-relay-${port}`];
}

/** @param {string} line - what the relay says */
function passOn(line) {
  const text = line.replace(/^hearth-relay: /, "");
  const url = /^ready at (.*)$/.exec(text)?.[1];
  say(url === undefined ? text : `ready: open ${url} (Ctrl-C ends it)`);
}

await main(async () => {
  const port = chosenPort();
  await ensureDependencies();
  await ensureDist();
  const { cannotListen, runRelay } = await import("./support/relay.mjs");
  say(`serving ${distFolder}`);
  const listen = ["--listen", `127.0.0.1:${port}`];
  const args = [...listen, ...dataArgs(port), "--page", distFolder, "--log-level", "warn"];
  const code = await runRelay(args, passOn);
  if (code === cannotListen) {
    throw new Failure(`choose another port: npm start -- --port ${port < 65_535 ? port + 1 : 8008}`);
  }
  if (code !== 0) throw new Failure("the relay has ended: its message is above.");
  say("stopped");
});
