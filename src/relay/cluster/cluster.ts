import { nuid } from "@nats-io/transport-node";
import type { Clock } from "../../link/clock.ts";
import type { Documents } from "../documents/api.ts";
import type { Mailbox } from "../mailbox/api.ts";
import type { Arrivals } from "../mailbox/arrivals.ts";
import type { MailboxLimits } from "../mailbox/room.ts";
import type { HealthChecks } from "../observe/health.ts";
import { withClusterArrivals } from "./arrivals.ts";
import { onStatus } from "./connection.ts";
import { natsDocuments } from "./documents.ts";
import { natsMailbox } from "./mailbox/nats-mailbox.ts";
import { type NatsOptions, openNats } from "./nats.ts";
import { ClusterSessions } from "./sessions/cluster-sessions.ts";

export type ClusterOptions = NatsOptions & {
  limits: MailboxLimits;
  /** Milliseconds that mail is kept. */
  retention: number;
  clock: Clock;
  log(error: unknown): void;
};

/** What several relays have in common. */
export type Cluster = {
  documents: Documents;
  mailbox: Mailbox;
  arrivals: Arrivals;
  sessions: ClusterSessions;
  checks: HealthChecks;
  /** After the sessions of nodes have ended. */
  close(): Promise<void>;
};

/** @throws where no server answers, has no JetStream, or cannot keep as many replicas */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const { limits, retention, clock, log } = options;
  const nats = await openNats(options);
  const { connection } = nats;
  try {
    const [documents, stored] = await Promise.all([
      natsDocuments(nats),
      natsMailbox(nats, { limits, retention, report: log }),
    ]);
    const { mailbox, arrivals } = withClusterArrivals(nats, stored, log);
    const sessions = new ClusterSessions({ nats, self: nuid.next(), documents, clock, log });
    let connected = true;
    onStatus(connection, "disconnect", () => {
      connected = false;
    });
    onStatus(connection, "reconnect", () => {
      connected = true;
    });
    return {
      ...{ documents, mailbox, arrivals, sessions },
      checks: { nats: () => (connected ? undefined : "no NATS server answers") },
      async close() {
        await sessions.close();
        await connection.drain();
      },
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}
