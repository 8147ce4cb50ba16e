import { chooseEd25519 } from "../../../src/matrix/ed25519.ts";
import type { Measurements, ToWorker } from "../results.ts";
import { openBigNode, readOldState } from "./big-node.ts";
import { joining } from "./joining.ts";
import type { Means } from "./means.ts";
import { merging } from "./merging.ts";
import { replaying } from "./replaying.ts";
import { makeServers } from "./servers.ts";

/*
 * The thread that the room server is measured in, as in the page: a dedicated worker. It carries out one measurement
 * after the other, as it is asked.
 */

declare const self: DedicatedWorkerGlobalScope;

const measurements: {
  [name in keyof Measurements]: (
    means: Means,
    argument: Measurements[name]["argument"],
  ) => Promise<Measurements[name]["result"]>;
} = { joining, replaying, merging, openBigNode, readOldState };

async function makeMeans(): Promise<Means> {
  const ed25519 = await chooseEd25519(crypto.subtle);
  return { ed25519, servers: await makeServers(ed25519) };
}

const means = makeMeans();

self.addEventListener("message", ({ data }: MessageEvent<ToWorker>) => void answer(data));

async function answer({ name, argument }: ToWorker): Promise<void> {
  try {
    const measure = measurements[name] as (means: Means, argument: unknown) => Promise<unknown>;
    self.postMessage({ result: await measure(await means, argument) });
  } catch (error) {
    self.postMessage({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}
