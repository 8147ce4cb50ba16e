import type { FromWorker } from "./results.ts";

/* What runs inside the page, sent there as text: see bench/in-page.ts. */

/** Starts the worker that is measured. */
export function startWorker(): void {
  Object.assign(window, { benchWorker: new Worker("./worker.js", { type: "module" }) });
}

/** Has it carry out one measurement. */
export function measure(request: { name: string; argument?: unknown }): Promise<unknown> {
  const { benchWorker } = window as unknown as { benchWorker: Worker };
  return new Promise((resolve, reject) => {
    benchWorker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if ("failure" in data) reject(new Error(data.failure));
      else resolve(data.result);
    };
    benchWorker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
    benchWorker.postMessage(request);
  });
}
