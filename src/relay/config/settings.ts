import type * as v from "valibot";
import * as kind from "./kinds.ts";

/** One setting: what it takes, what it is without, and what is said of it in `--help` and the documentation. */
export type Setting<T = unknown> = {
  schema: v.GenericSchema<unknown, T>;
  /** As it would be written. Undefined: the setting is absent, which `help` explains. */
  usual: string | undefined;
  group: string;
  help: string;
};

const setting = <S extends v.GenericSchema<unknown, unknown>, const D extends string | undefined>(
  group: string,
  schema: S,
  usual: D,
  help: string,
) => ({ group, schema, usual, help });

const [name, listening, tls, storage, limits, outside, other] = [
  "Name",
  "Listening",
  "TLS",
  "Storage",
  "Limits",
  "Other servers",
  "Other",
];

/**
 * All settings, in the order in which they are explained. The key is camelCase here, `kebab-case` in the file and as a
 * flag (`--kebab-case`), and `HEARTH_RELAY_KEBAB_CASE` in the environment.
 */
export const settings = {
  name: setting(
    name,
    kind.serverName(),
    "localhost",
    "What this relay is called: nodes that have it as their home are <key>.<name>, so that *.<name> has to lead here. It cannot be changed later.",
  ),
  publicUrl: setting(
    name,
    kind.webUrl("https:", "http:"),
    undefined,
    "Where browsers reach the page and the relay, without a path. Without it: https://<name>, or http://localhost and the port of --listen where the name is localhost.",
  ),
  home: setting(
    name,
    kind.truth(),
    undefined,
    "Whether new nodes may have this relay as their home. Without it: where the name is one of the public internet.",
  ),
  shortNames: setting(
    name,
    kind.truth(),
    "true",
    "Whether nodes may ask for <label>.<name> beside their own name, first come, first served.",
  ),
  givenNames: setting(
    name,
    kind.serverNames(),
    "",
    "Server names, not below its own, that the relay gives to the first node that comes with each, without asking whose the domain is: for a homeserver on the operator's own machine, and for networks without domains.",
  ),
  listen: setting(
    listening,
    kind.address(),
    "127.0.0.1:8008",
    "HTTP: the page, sessions of nodes, and (behind a proxy) requests from other servers.",
  ),
  federationListen: setting(
    listening,
    kind.address(),
    "off",
    "HTTPS: the same over TLS, for other servers and browsers. Needs tls-certificate and tls-key.",
  ),
  dendriteListen: setting(
    listening,
    kind.address(),
    "off",
    "HTTPS (HTTP without tls-certificate) for other servers alone, where Dendrite nodes keep their mail here: they ask for it by a GET with a body, which the other listeners do not hear.",
  ),
  quicListen: setting(
    listening,
    kind.address(),
    undefined,
    "QUIC (UDP) for WebTransport. Without it: host and port of --listen.",
  ),
  metricsListen: setting(
    listening,
    kind.address(),
    "off",
    "HTTP with /metrics for Prometheus. Nothing there asks who is calling: keep it inside.",
  ),
  trustedProxies: setting(
    listening,
    kind.ipRanges(),
    "",
    "Proxies in front of the relay, by address or network: their X-Forwarded-For and X-Forwarded-Proto are believed.",
  ),
  tlsCertificate: setting(
    tls,
    kind.text(),
    undefined,
    "File with the certificate chain (PEM), for <name> and *.<name>. Read again when it changes.",
  ),
  tlsKey: setting(
    tls,
    kind.text(),
    undefined,
    "File with its private key (PEM). Without both, QUIC uses a certificate that the relay makes itself, and browsers are told its hash.",
  ),
  data: setting(
    storage,
    kind.text(),
    undefined,
    "Folder of the database and of what the relay makes itself. Without it: hearth-relay in $XDG_DATA_HOME or ~/.local/share.",
  ),
  page: setting(
    storage,
    kind.text(),
    undefined,
    "Folder with the built page, which is served to browsers. Without it: no page.",
  ),
  nats: setting(
    storage,
    kind.natsUrls(),
    "",
    "NATS servers with JetStream, for several relays as one; nats://user:password@host where they ask for it. Without any: one relay, with SQLite in the data folder.",
  ),
  natsReplicas: setting(
    storage,
    kind.wholeNumber(1, 5),
    "3",
    "How many NATS servers keep a copy: 3 or 5, so that one or two may fail; 1 for a server without a cluster.",
  ),
  retention: setting(
    storage,
    kind.duration(3_600_000),
    "30d",
    "How long mail is kept for a node that does not come.",
  ),
  mailboxBytes: setting(
    limits,
    kind.byteSize(1_000_000),
    "1GB",
    "What is kept for one node, in bytes. A sender is refused when it is full, and keeps what it has.",
  ),
  mailboxEntries: setting(
    limits,
    kind.wholeNumber(1, 1e9),
    "100000",
    "What is kept for one node, in transactions.",
  ),
  transactionBytes: setting(
    limits,
    kind.byteSize(100_000),
    "12MB",
    "The largest body of a transaction from another server.",
  ),
  nodes: setting(
    limits,
    kind.wholeNumber(1, 1e6),
    "10000",
    "How many nodes may have a session at the same time.",
  ),
  requestsPerMinute: setting(
    limits,
    kind.wholeNumber(1, 1e6),
    "1200",
    "Requests to other servers that one node may send in a minute, on average.",
  ),
  requestsAtOnce: setting(limits, kind.wholeNumber(1, 1e6), "400", "The same, at once after a pause."),
  requestsUnderWay: setting(
    limits,
    kind.wholeNumber(1, 1e5),
    "64",
    "Requests to other servers of one node that are under way.",
  ),
  requestsToOneServer: setting(
    limits,
    kind.wholeNumber(2, 1e5),
    "100",
    "Requests of all nodes to one server that are under way; one node may have half of them.",
  ),
  ca: setting(
    outside,
    kind.paths(),
    "",
    "Files with authorities (PEM) that are trusted beside the usual ones.",
  ),
  allowPrivate: setting(
    outside,
    kind.ipRanges(),
    "",
    "Networks to which nodes may send requests although they are not on the public internet, such as 10.1.0.0/16.",
  ),
  plainHttp: setting(
    outside,
    kind.truth(),
    "false",
    "Whether nodes may reach app services over http, without TLS.",
  ),
  wakeUpContact: setting(
    other,
    kind.contact(),
    undefined,
    "Whom a push service may write to about this relay: mailto: or https. Without it: sleeping nodes are not woken by Web Push.",
  ),
  logLevel: setting(
    other,
    kind.oneOf("debug", "info", "warn", "error"),
    "info",
    "The least important lines that are logged.",
  ),
} as const satisfies { [key: string]: Setting };

export type SettingKey = keyof typeof settings;

/** Values as they were given or are by default, each checked by itself. */
export type Values = {
  [K in SettingKey]: (typeof settings)[K]["usual"] extends string
    ? v.InferOutput<(typeof settings)[K]["schema"]>
    : v.InferOutput<(typeof settings)[K]["schema"]> | undefined;
};

export const kebabCase = (key: string) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
export const variableOf = (key: string) =>
  `HEARTH_RELAY_${kebabCase(key).replaceAll("-", "_").toUpperCase()}`;
