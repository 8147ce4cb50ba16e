import { later, lazily, once } from "../node/later.ts";
import type { Reports, ReportsForOwner } from "./api.ts";
import type { ReportsOptions } from "./reports.ts";

const code = later(() => import("./reports.ts"));

/** Puts the component together when it is first called. */
export function openReports(options: ReportsOptions): Reports & ReportsForOwner {
  return lazily<Reports & ReportsForOwner>(once(async () => new (await code()).StoredReports(options)));
}
