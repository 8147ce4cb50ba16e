import type { LinkHandler } from "../link/api.ts";
import type { ServerName } from "../matrix/server-names.ts";
import type { Config } from "./config/config.ts";
import type { Address } from "./config/kinds.ts";
import type { Documents } from "./documents/api.ts";
import type { Egress } from "./egress/api.ts";
import type { WellKnown } from "./egress/well-known.ts";
import type { Arrived } from "./ingress/arrived.ts";
import type { HealthChecks } from "./observe/health.ts";
import type { Log } from "./observe/log.ts";
import type { Metrics } from "./observe/metrics.ts";
import type { Listening, PublicPart } from "./server/api.ts";
import type { TlsSource } from "./tls/api.ts";
import type { WakeUp } from "./wake-up/api.ts";

/** What the relay keeps, in its data folder or in the cluster. */
export type Storage = {
  documents: Documents;
  checks: HealthChecks;
  /** All that was acknowledged is kept; nothing more is asked of it. */
  close(): Promise<void>;
};

/** What the parts for nodes are made with. */
export type Services = {
  config: Config;
  version: string;
  log: Log;
  metrics: Metrics;
  egress: Egress;
  /** Where a host's `.well-known` says that its homeserver is; undefined where it has none, or cannot be asked. */
  delegation: WellKnown;
  wakeUp: Omit<WakeUp, "publicKey">;
};

/** Sessions of nodes, and what others want of them. */
export type Nodes = {
  link: PublicPart;
  ingress: PublicPart;
  /** The same, for a listener that gives requests as they came. */
  arrived(arrived: Arrived): Promise<Response | undefined>;
  /** WebTransport. */
  quic(at: Address, tls: TlsSource): Promise<Listening>;
  /** Who answers for a server that this relay (or its cluster) serves; undefined for all others. */
  local(serverName: ServerName): Promise<LinkHandler | undefined>;
  /** Whether something is kept for this node, and it is away. */
  needsWaking(owner: string): Promise<boolean>;
  checks: HealthChecks;
  /** Tells all nodes, lets what is under way end for so many milliseconds, and ends their sessions. */
  close(reason: string, grace: number): Promise<void>;
};

/** What a relay is put together from. */
export type RelayParts<S extends Storage = Storage> = {
  openStorage(config: Config, log: Log): Promise<S>;
  openNodes(storage: S, services: Services): Promise<Nodes>;
};
