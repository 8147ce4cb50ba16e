import type { BenchWorker } from "./browser.ts";

/** Bytes that scripts hold: objects, and the buffers beside them. Garbage counts until it is collected. */
export async function heldBytes({ ask }: BenchWorker): Promise<number> {
  const usage = (await ask("Runtime.getHeapUsage")) as { usedSize: number; backingStorageSize?: number };
  return usage.usedSize + (usage.backingStorageSize ?? 0);
}

export async function collectGarbage({ ask }: BenchWorker): Promise<void> {
  await ask("HeapProfiler.enable");
  await ask("HeapProfiler.collectGarbage");
}
