import type { Reports, ReportsForOwner } from "./api.ts";
import { type ReportsOptions, StoredReports } from "./reports.ts";

export function openReports(options: ReportsOptions): Reports & ReportsForOwner {
  return new StoredReports(options);
}
