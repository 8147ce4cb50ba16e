import {
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import { connect, errors, type NatsConnection } from "@nats-io/transport-node";

/** A connection to the NATS servers that the relays of a cluster share. */
export type Nats = {
  connection: NatsConnection;
  jetstream: JetStreamClient;
  manager: JetStreamManager;
  /** In front of all names of streams and subjects: several clusters of relays may share servers. */
  prefix: string;
  /** Servers that keep what is stored: 1, 3 or 5. */
  replicas: number;
};

export type NatsOptions = {
  /** `nats://`, `tls://`, with user and password (or a token as the user) if they are needed. */
  servers: readonly string[];
  replicas: number;
  prefix?: string;
  /** Milliseconds for the first connection. */
  within?: number;
};

/** Milliseconds between attempts, to connect and to be answered. */
const pause = 250;
/** Milliseconds without a sign of the server after which another one is tried: twice this. */
const pingInterval = 5_000;
/** Milliseconds that an operation goes on, over elections of leaders among the servers (NATS 2.9: up to 9 seconds). */
const patience = 20_000;
/** Milliseconds for one answer, after which it is looked again. */
export const answerTime = 3_000;

/** @throws where none of the servers answers, or they have no JetStream */
export async function openNats({ servers, replicas, prefix = "hearth", within }: NatsOptions): Promise<Nats> {
  const connection = await connect({
    ...addressesOf(servers),
    name: "hearth-relay",
    timeout: within ?? 10_000,
    pingInterval,
    maxPingOut: 2,
    maxReconnectAttempts: -1,
    reconnectTimeWait: pause,
  });
  try {
    const options = { timeout: answerTime };
    // Servers that have just started choose a leader first.
    const manager = await persist(() => jetstreamManager(connection, options));
    return { connection, jetstream: jetstream(connection, options), manager, prefix, replicas };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** NATS takes credentials apart from the addresses; all servers of a cluster have the same. */
function addressesOf(servers: readonly string[]) {
  const urls = servers.map((server) => new URL(server));
  const [first] = urls;
  const user = decodeURIComponent(first?.username ?? "");
  const pass = decodeURIComponent(first?.password ?? "");
  const credentials = pass !== "" ? { user, pass } : user !== "" ? { token: user } : {};
  const tls = urls.some(({ protocol }) => protocol === "tls:") ? { tls: {} } : {};
  return { servers: urls.map(({ host }) => host), ...credentials, ...tls };
}

/** The numbers of JetStream's own errors; undefined for all that says nothing of what was asked. */
function codeOf(error: unknown): number | undefined {
  return error instanceof JetStreamApiError ? error.code : undefined;
}

/** Somebody else has written there since it was read. */
export const isConflict = (error: unknown) => codeOf(error) === 10071;
export const isMissingStream = (error: unknown) => codeOf(error) === 10059;

/** Errors that pass when a server has become the leader, or has room again: answers to nothing that was asked. */
const passing = new Set([
  10008, // JetStream system temporarily unavailable
  10009, // the stream has no leader
  10077, // the servers cannot store just now
]);

/** Whether it is of use to ask again. */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  if (error instanceof errors.ClosedConnectionError || error instanceof errors.DrainingConnectionError)
    return false;
  return code === undefined ? !(error instanceof TypeError) : passing.has(code);
}

/** Between two attempts. */
export const rest = () =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, pause);
  });

/** Until when something is tried. @returns milliseconds as of `performance.now()` */
export const fromNow = () => performance.now() + patience;

/**
 * Asks again, as long as it is only that nobody answers.
 * @param ask - may have had its effect though it failed
 * @throws its last error, when that does not pass or the time is over
 */
export async function persist<T>(ask: () => Promise<T>, until = fromNow()): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isPassing(error) || performance.now() >= until) throw error;
      await rest();
    }
  }
}
