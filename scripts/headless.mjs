// `npm run headless -- --profile DIR --relay URL [...]`: a homeserver without a window, for machines that stay on.
// docs/headless.md explains it.
import { ensureDependencies } from "./support/dependencies.mjs";
import { main } from "./support/steps.mjs";

await main(async () => {
  await ensureDependencies();
  const { readOptions, usage } = await import("./headless/options.mjs");
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === undefined) return console.log(usage);
  const { openHost } = await import("./headless/host.mjs");

  const stopped = new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.once(signal, resolve);
  });
  const host = await openHost(options, stopped);
  if (host === undefined) return;
  console.log(JSON.stringify(host.ready));
  try {
    await Promise.race([stopped, host.ended]);
  } finally {
    await host.close();
  }
});
