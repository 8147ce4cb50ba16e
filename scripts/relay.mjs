// `npm run relay [-- --help]`: the relay alone, configured by its own flags, environment and file.
import { ensureDependencies } from "./support/dependencies.mjs";
import { main } from "./support/steps.mjs";

await main(async () => {
  await ensureDependencies();
  const { runRelay } = await import("./support/relay.mjs");
  process.exitCode = await runRelay(process.argv.slice(2), (line) => console.log(line));
});
