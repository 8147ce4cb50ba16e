import { chooseEd25519 } from "../../../src/matrix/ed25519.ts";
import type { FromWorker } from "../results.ts";
import type { Means } from "./means.ts";
import { makeServers } from "./servers.ts";

declare const self: DedicatedWorkerGlobalScope;

/** By name, what a worker measures. */
export type Measuring<M extends { [name in keyof M]: { argument: unknown; result: unknown } }> = {
  [name in keyof M]: (means: Means, argument: M[name]["argument"]) => Promise<M[name]["result"]>;
};

async function makeMeans(): Promise<Means> {
  const ed25519 = await chooseEd25519(crypto.subtle);
  return { ed25519, servers: await makeServers(ed25519) };
}

/** Carries out one measurement after the other, as the page asks. */
export function serve<M extends { [name in keyof M]: { argument: unknown; result: unknown } }>(
  measurements: Measuring<M>,
): void {
  const means = makeMeans();
  const answer = async ({ name, argument }: { name: keyof M; argument?: unknown }): Promise<FromWorker> => {
    try {
      const measure = measurements[name] as (means: Means, argument: unknown) => Promise<unknown>;
      return { result: await measure(await means, argument) };
    } catch (error) {
      return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  };
  self.addEventListener("message", ({ data }: MessageEvent<{ name: keyof M; argument?: unknown }>) => {
    void answer(data).then((result) => self.postMessage(result));
  });
}
