import { systemClock } from "../link/clock.ts";
import { openCluster } from "./cluster/cluster.ts";
import type { ClusterSessions } from "./cluster/sessions/cluster-sessions.ts";
import type { Config } from "./config/config.ts";
import { ConfigError } from "./config/read.ts";
import { sqliteDocuments } from "./documents/sqlite-documents.ts";
import type { Mailbox } from "./mailbox/api.ts";
import { type Arrivals, withArrivals } from "./mailbox/arrivals.ts";
import { sqliteMailbox } from "./mailbox/sqlite-mailbox.ts";
import type { Log } from "./observe/log.ts";
import { errorFields } from "./observe/log.ts";
import type { Storage } from "./parts.ts";
import { openSqlite } from "./sqlite/store.ts";

/** What a relay keeps for its nodes. */
export type NodeStorage = Storage & {
  mailbox: Mailbox;
  arrivals: Arrivals;
  /** Where several relays are one: how nodes are reached that have their session at another of them. */
  sessions?: ClusterSessions;
};

/** How often mail that is too old is looked for, in milliseconds. */
const EXPIRE_EVERY = 3_600_000;

export function openStorage(config: Config, log: Log): Promise<NodeStorage> {
  return config.nats.length > 0 ? openClusterStorage(config, log) : openFileStorage(config);
}

const limitsOf = (config: Config) => ({ bytes: config.mailboxBytes, entries: config.mailboxEntries });

/** With the other relays of a cluster. @throws {ConfigError} */
async function openClusterStorage(config: Config, log: Log): Promise<NodeStorage> {
  const { nats: servers, natsReplicas: replicas, retention } = config;
  try {
    return await openCluster({
      ...{ servers, replicas, retention, limits: limitsOf(config), clock: systemClock },
      log: (error) => log.error("cluster", errorFields(error)),
    });
  } catch (error) {
    // Not the servers themselves: their URLs may have passwords in them.
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`nats: the servers cannot be used: ${why}`);
  }
}

/** In a database in the data folder. */
async function openFileStorage(config: Config): Promise<NodeStorage> {
  const store = openSqlite(`${config.data}/relay.sqlite`);
  return {
    documents: sqliteDocuments(store),
    ...withArrivals(sqliteMailbox(store, limitsOf(config))),
    checks: {
      database: () => {
        store.db.prepare("SELECT 1").get();
        return undefined;
      },
    },
    close: async () => store.close(),
  };
}

/** Drops mail that nobody has come for, now and then. @returns what ends that */
export function expiring(mailbox: Mailbox, retention: number, log: Log): () => void {
  const expire = async () => {
    try {
      const entries = await mailbox.expire(Date.now() - retention);
      if (entries > 0) log.warn("expired", { entries });
    } catch (error) {
      log.error("expire", errorFields(error));
    }
  };
  void expire();
  const timer = setInterval(expire, EXPIRE_EVERY);
  return () => clearInterval(timer);
}
