// `npm start [-- --port N]`: from a fresh clone to a page in the browser. Only what Node itself has may be
// imported up here: the packages may not be installed yet.
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
 * @param {unknown} error - from listening
 * @param {number} port
 */
function listenFailure(error, port) {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const another = `choose another one: npm start -- --port ${port < 65_535 ? port + 1 : 8008}`;
  if (code === "EADDRINUSE") return new Failure(`port ${port} is taken by another program; ${another}`);
  if (code === "EACCES") return new Failure(`port ${port} is not open to this user; ${another}`);
  return error;
}

await main(async () => {
  const port = chosenPort();
  await ensureDependencies();
  await ensureDist();
  const { serveFolder } = await import("./support/static-server.mjs");
  say(`serving ${distFolder}`);
  const server = await serveFolder(distFolder, port).catch((error) => {
    throw listenFailure(error, port);
  });
  say(`ready: open ${server.url} (Ctrl-C ends it)`);
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => {
      say("stopping");
      // The process ends by itself once the server has closed.
      void server.close();
    });
  }
});
