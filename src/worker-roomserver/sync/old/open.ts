import { later, lazily, once } from "../../node/later.ts";
import type { OldSync } from "./api.ts";
import type { OldSyncParts } from "./parts.ts";

const code = later(() => import("./old-sync.ts"));

/** Puts the component together when it is first called: clients of today never call it. */
export function openOldSync(parts: OldSyncParts): OldSync {
  return lazily(once(async () => (await code()).makeOldSync(parts)));
}
