import { later, lazily, once } from "../node/later.ts";
import type { Monitor } from "./api.ts";
import type { MonitorOptions } from "./monitor.ts";

const code = later(() => import("./monitor.ts"));

export function openMonitor(options: Omit<MonitorOptions, "startedTs">): Monitor {
  const startedTs = options.now();
  return lazily(once(async () => new (await code()).NodeMonitor({ ...options, startedTs })));
}
