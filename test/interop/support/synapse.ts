import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Authority } from "../../relay/support/authority.ts";
import { freePorts } from "./ports.ts";

/** A Python that has Synapse; undefined: these tests are skipped. */
export const synapsePython = process.env.HEARTH_SYNAPSE_PYTHON;

/** For the accounts of both servers. */
export const SHARED_SECRET = "the secret of the interoperability tests";

export type Synapse = {
  serverName: string;
  /** Where clients reach it, without a slash at its end. */
  clientUrl: string;
  /** With what it had before. @returns once it answers */
  start(): Promise<void>;
  /** Ends it at once: what it was about to send, it has to send later. */
  stop(): Promise<void>;
};

/** How long a server that fails is left alone: short, so that a test of an outage is over soon. */
const BACK_OFF = { shortest: "1s", longest: "2s" };

/** Asks too much of nobody: a test does in a second what people do in an hour. */
const unlimited = { per_second: 100_000, burst_count: 100_000 };

/** A Synapse over SQLite, on loopback, with a certificate of the test's authority. */
export async function makeSynapse(folder: string, authority: Authority): Promise<Synapse> {
  const [federationPort, clientPort] = (await freePorts(2)) as [number, number];
  const serverName = `127.0.0.1:${federationPort}`;
  const clientUrl = `http://127.0.0.1:${clientPort}`;
  await mkdir(folder, { recursive: true });
  const file = (name: string) => join(folder, name);
  const { certificate, key } = await authority.issue("127.0.0.1");
  await writeFile(file("certificate.pem"), certificate);
  await writeFile(file("key.pem"), key);
  await writeFile(file("authority.pem"), authority.pem);
  const listener = { type: "http", bind_addresses: ["127.0.0.1"] };
  const config = {
    server_name: serverName,
    public_baseurl: clientUrl,
    pid_file: file("synapse.pid"),
    listeners: [
      { ...listener, port: federationPort, tls: true, resources: [{ names: ["federation"] }] },
      { ...listener, port: clientPort, resources: [{ names: ["client"] }] },
    ],
    tls_certificate_path: file("certificate.pem"),
    tls_private_key_path: file("key.pem"),
    federation_custom_ca_list: [file("authority.pem")],
    ip_range_blacklist: [],
    federation_ip_range_blacklist: [],
    trusted_key_servers: [],
    suppress_key_server_warning: true,
    database: { name: "sqlite3", args: { database: file("homeserver.db") } },
    // Else it gives the same first sync for two minutes to who asks for it again.
    caches: { sync_response_cache_duration: "0s" },
    signing_key_path: file("signing.key"),
    media_store_path: file("media"),
    registration_shared_secret: SHARED_SECRET,
    macaroon_secret_key: "of these tests",
    form_secret: "of these tests",
    report_stats: false,
    allow_public_rooms_over_federation: true,
    federation: {
      destination_min_retry_interval: BACK_OFF.shortest,
      destination_max_retry_interval: BACK_OFF.longest,
      max_short_retries: 1,
    },
    rc_message: unlimited,
    rc_registration: unlimited,
    rc_admin_redaction: unlimited,
    rc_login: { address: unlimited, account: unlimited, failed_attempts: unlimited },
    rc_joins: { local: unlimited, remote: unlimited },
    rc_joins_per_room: unlimited,
    rc_invites: { per_room: unlimited, per_user: unlimited, per_issuer: unlimited },
    rc_federation: {
      window_size: 1,
      sleep_limit: 10_000,
      sleep_delay: 1,
      reject_limit: 10_000,
      concurrent: 100,
    },
  };
  await writeFile(file("homeserver.yaml"), stringify(config));
  const run = ["-m", "synapse.app.homeserver", "--config-path", file("homeserver.yaml")];
  let child: ChildProcess | undefined;

  /** @returns why it ended, should it */
  const launched = async (args: string[]): Promise<ChildProcess> => {
    const log = createWriteStream(file("synapse.log"), { flags: "a" });
    const one = spawn(synapsePython!, [...run, ...args], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    one.stdout.pipe(log, { end: false });
    one.stderr.pipe(log, { end: false });
    return one;
  };
  const [code] = (await once(await launched(["--generate-keys"]), "exit")) as [number | null];
  if (code !== 0) throw new Error(`Synapse could not make its keys: ${file("synapse.log")} says more`);

  return {
    serverName,
    clientUrl,
    async start() {
      child = await launched([]);
      await answering(`${clientUrl}/_matrix/client/versions`, child, file("synapse.log"));
    },
    async stop() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    },
  };
}

async function answering(url: string, child: ChildProcess, log: string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`Synapse has ended (${child.exitCode}): ${log} says more`);
    // A connection may be taken before there is anybody to answer on it, and is then never answered.
    const isThere = await fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
