// The relay as a process: `npm run relay -- --help`. What it says to those who start it (help, the line that it is
// ready) is on stdout; its log, in lines of JSON, and what keeps it from starting are on stderr.
import { relayParts } from "./assemble.ts";
import { completeConfig } from "./config/config.ts";
import { helpText } from "./config/describe.ts";
import { ConfigError, readValues } from "./config/read.ts";
import { errorFields, openLog } from "./observe/log.ts";
import { openRelay, type Relay } from "./relay.ts";
import { ListenError } from "./server/listen.ts";

/** How the process ends, for what has started it. */
const exitCodes = { failed: 1, config: 2, listen: 3 };
/** Milliseconds after which a stop is an end. */
const lastMoment = 10_000;

const version: string = JSON.parse(
  await Deno.readTextFile(new URL("../../package.json", import.meta.url)),
).version;

function fail(error: unknown): never {
  const expected = error instanceof ConfigError || error instanceof ListenError;
  console.error(expected ? `hearth-relay: ${error.message}` : error);
  Deno.exit(error instanceof ConfigError ? exitCodes.config : expected ? exitCodes.listen : exitCodes.failed);
}

async function run(): Promise<void> {
  const env = Deno.env.toObject();
  const values = readValues({ args: Deno.args, env, readFile: (path) => Deno.readTextFileSync(path) });
  if (values === "help") return console.log(helpText().trimEnd());
  if (values === "version") return console.log(version);
  const config = completeConfig(values, env);
  const log = openLog(
    config.logLevel,
    (line) => console.error(line),
    () => Date.now(),
  );
  // One request that goes wrong in a way that nobody has thought of does not end all the others.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.error("unhandled", errorFields(event.reason));
  });
  const relay = await openRelay(config, version, log, relayParts);
  console.log(`hearth-relay: data in ${config.data}`);
  console.log(`hearth-relay: ready at ${relay.url}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    Deno.addSignalListener(signal, () => end(relay, signal));
}

let ending = false;

/** Ends well; at the second signal, or when it takes too long, at once. */
function end(relay: Relay, signal: string): void {
  if (ending) Deno.exit(exitCodes.failed);
  ending = true;
  setTimeout(() => Deno.exit(exitCodes.failed), lastMoment);
  relay.stop(signal).then(() => Deno.exit(0), fail);
}

await run().catch(fail);
