import { expect, test } from "vitest";
import { completeConfig, publicUrlOf } from "../../../src/relay/config/config.ts";
import { documentation, helpText } from "../../../src/relay/config/describe.ts";
import { ConfigError, readValues } from "../../../src/relay/config/read.ts";
import { kebabCase, settings, variableOf } from "../../../src/relay/config/settings.ts";

type Env = { [name: string]: string };
const home = { HOME: "/users/operator" };

function config(args: string[] = [], env: Env = {}, file = "") {
  const values = readValues({ args, env: { ...home, ...env }, readFile: () => file });
  if (typeof values === "string") throw new Error(`asked for ${values}`);
  return completeConfig(values, { ...home, ...env });
}

function problem(args: string[], env: Env = {}, file = ""): string {
  try {
    config(args, env, file);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  return "no problem";
}

test("without anything, the relay is one for this machine alone", () => {
  expect(config()).toEqual({
    name: "localhost",
    home: false,
    shortNames: true,
    givenNames: [],
    listen: { host: "127.0.0.1", port: 8008 },
    federationListen: undefined,
    quicListen: { host: "127.0.0.1", port: 8008 },
    metricsListen: undefined,
    trustedProxies: [],
    tls: undefined,
    data: "/users/operator/.local/share/hearth-relay",
    nats: [],
    natsReplicas: 3,
    retention: 30 * 86_400_000,
    mailboxBytes: 1e9,
    mailboxEntries: 100_000,
    transactionBytes: 12e6,
    nodes: 10_000,
    requestsPerMinute: 1200,
    requestsAtOnce: 400,
    requestsUnderWay: 64,
    requestsToOneServer: 100,
    ca: [],
    allowPrivate: [],
    plainHttp: false,
    logLevel: "info",
  });
});

test("a flag goes before the environment, that before the file, and that before the default", () => {
  const file = "nodes: 1\nrequests-at-once: 1\nmailbox-entries: 1\n";
  const env = { HEARTH_RELAY_NODES: "2", HEARTH_RELAY_REQUESTS_AT_ONCE: "2" };
  const got = config(["--config", "relay.yaml", "--nodes", "3"], env, file);
  expect([got.nodes, got.requestsAtOnce, got.mailboxEntries, got.requestsUnderWay]).toEqual([3, 2, 1, 64]);
});

test("the file is named by the environment as well, and may be empty or have empty lines", () => {
  expect(config([], { HEARTH_RELAY_CONFIG: "x" }, "name: relay.example.org\ntls-key:\n").name).toBe(
    "relay.example.org",
  );
  expect(config([], { HEARTH_RELAY_CONFIG: "x" }, "").name).toBe("localhost");
});

test("values of each kind", () => {
  const got = config(
    ["--listen", "[::]:80", "--metrics-listen", "9090", "--quic-listen", "off", "--mailbox-bytes", "2GiB"],
    { HEARTH_RELAY_CA: "a.pem, b.pem", HEARTH_RELAY_PLAIN_HTTP: "true" },
  );
  expect(got).toMatchObject({
    listen: { host: "::", port: 80 },
    metricsListen: { host: "127.0.0.1", port: 9090 },
    quicListen: undefined,
    mailboxBytes: 2 * 1024 ** 3,
    ca: ["a.pem", "b.pem"],
    plainHttp: true,
  });
  const file =
    "given-names: [hs1, 127.0.0.1:8448]\nretention: 12h\nshort-names: false\nallow-private: [10.0.0.0/8, 'fd00::/8']\nname: relay.example.org:8448\n";
  const other = config(["--config", "x"], {}, file);
  expect(other).toMatchObject({
    retention: 43_200_000,
    shortNames: false,
    givenNames: ["hs1", "127.0.0.1:8448"],
    home: true,
  });
  expect(publicUrlOf(other, 1)).toBe("https://relay.example.org:8448");
  expect(publicUrlOf(config(), 80)).toBe("http://localhost:80");
  expect(other.allowPrivate.map(({ length }) => length)).toEqual([8, 8]);
});

test.each<[args: string[], message: string]>([
  [["--nodes", "many"], '--nodes: should be a whole number from 1 to 1000000, not "many"'],
  [["--nodes", "0"], "--nodes: should be a whole number"],
  [["--listen", "localhost"], "--listen: should be host:port"],
  [["--listen", "127.0.0.1:70000"], "--listen: should be host:port"],
  [["--retention", "1min"], "--retention: should be a time such as"],
  [["--retention", "30 years"], "--retention: should be a time such as"],
  [["--mailbox-bytes", "1"], "--mailbox-bytes: should be a size"],
  [["--allow-private", "10.0.0.1/8"], "--allow-private: should be a list of addresses or networks"],
  [["--log-level", "loud"], "--log-level: should be one of debug, info, warn, error"],
  [["--short-names", "maybe"], "--short-names: should be true or false"],
  [["--name", "https://relay.example.org"], "--name: should be a host name"],
  [["--wake-up-contact", "me"], "--wake-up-contact: should be mailto:"],
  [["--nats", "http://x"], "--nats: should be a list of URLs"],
  [["--public-url", "ftp://x"], "--public-url: should be a URL that begins with https:// or http://"],
  [["--colour", "red"], "--colour"],
  [["--tls-key", "x"], "tls-certificate and tls-key: one is of no use without the other"],
  [["--federation-listen", "[::]:8448"], "federation-listen: needs tls-certificate and tls-key"],
  [["--listen", "off"], "listen: there is nothing to do"],
])("%j is refused by the name of the key", (args, message) => expect(problem(args)).toContain(message));

test.each<[what: string, file: string, message: string]>([
  [
    "a key that is none",
    "retenton: 1d\n",
    'relay.yaml: there is no setting "retenton"; did you mean retention?',
  ],
  ["a key in the wrong case", "logLevel: debug\n", "did you mean log-level?"],
  ["a wrong value", "nodes: [1]\n", "relay.yaml: nodes: should be"],
  ["a list of objects", "ca: [{a: 1}]\n", "relay.yaml: ca: should be a list of files"],
  ["no settings", "- a\n", "relay.yaml: should be"],
  ["no YAML", "a: [\n", "relay.yaml: "],
  ["a key twice", "nodes: 1\nnodes: 2\n", "relay.yaml: "],
])("a file with %s", (_, file, message) =>
  expect(problem(["--config", "relay.yaml"], {}, file)).toContain(message),
);

test("a file that cannot be read, a variable that is none, no folder for data", () => {
  const missing = () =>
    readValues({
      args: ["--config", "gone.yaml"],
      env: {},
      readFile: () => {
        throw new Error("not there");
      },
    });
  expect(missing).toThrow("gone.yaml: not there");
  expect(problem([], { HEARTH_RELAY_NODE: "1" })).toContain("HEARTH_RELAY_NODE");
  expect(problem([], { HOME: "" })).toContain("data: has to be given");
});

test("every setting is explained, and the documentation says what the code does", async () => {
  for (const key of Object.keys(settings)) {
    expect(helpText()).toContain(`  --${kebabCase(key)}`);
    expect(documentation()).toContain(variableOf(key));
  }
  expect(readValues({ args: ["--help"], env: { HEARTH_RELAY_NONE: "1" }, readFile: () => "" })).toBe("help");
  await expect(documentation()).toMatchFileSnapshot("../../../docs/relay-configuration.md");
});
