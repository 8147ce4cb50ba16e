import type { IpRange } from "../../matrix/ip-addresses.ts";
import { addressGuard, type Guard, openSystemResolver } from "./addresses.ts";
import { type AdmissionLimits, openAdmission } from "./admission.ts";
import type { Egress } from "./api.ts";
import { type AskHop, openClient } from "./client.ts";
import { openDiscovery } from "./discovery.ts";
import { type EgressParts, openEgress } from "./egress.ts";
import { openSrvResolver } from "./srv.ts";
import { openWellKnown, type WellKnown } from "./well-known.ts";

export type OutsideOptions = Pick<EgressParts, "local" | "plainHttp" | "observe" | "report"> & {
  limits: AdmissionLimits;
  allowPrivate: readonly IpRange[];
  /** PEM of authorities that are trusted beside the usual ones. */
  authorities: readonly string[];
};

/** The relay's way to other servers, over this machine's network. */
export type Outside = {
  egress: Egress;
  /** For what the relay itself asks for, under the same guard. */
  ask: AskHop;
  delegation: WellKnown;
  guard: Guard;
  close(): void;
};

export function openOutside(options: OutsideOptions): Outside {
  const now = () => Date.now();
  const guard = addressGuard(options.allowPrivate);
  const client = openClient({ resolve: openSystemResolver(now), guard, authorities: options.authorities });
  const wellKnown = openWellKnown(client.ask, now);
  const discover = openDiscovery({ wellKnown, srv: openSrvResolver(now), random: Math.random });
  const admission = openAdmission(options.limits, now);
  const { local, plainHttp, observe, report } = options;
  const egress = openEgress({ ask: client.ask, discover, admission, local, plainHttp, observe, report });
  return { egress, ask: client.ask, delegation: wellKnown, guard, close: client.close };
}
