import { describe, expect, test } from "vitest";
import { addressesAt } from "../../scripts/headless/addresses.mjs";
import { readOptions } from "../../scripts/headless/options.mjs";
import { Failure } from "../../scripts/support/steps.mjs";

const needed = ["--profile", "p", "--relay", "http://localhost:8008/"];
const options = (args: string[] = [], env: NodeJS.ProcessEnv = {}) => {
  const read = readOptions([...needed, ...args], env);
  if (read === undefined) throw new Error("only help was wanted");
  return read;
};

test("nobody comes in unless it is said", () => {
  expect(options()).toEqual({
    profile: "p",
    relays: ["http://localhost:8008"],
    clientApi: false,
    settings: {
      registration: "closed",
      guests: false,
      first_user_is_admin: false,
      registration_secret: null,
      rate_limits: true,
    },
    appServices: [],
  });
});

test("all that can be said", () => {
  const args = ["--relay", "https://relay.example.org", "--server-name", "example.org", "--guests"];
  args.push("--client-listen", "[::1]:8009", "--open-registration", "--registration-secret", "s");
  args.push("--room-version", "10", "--password-cost", "8,1,1", "--back-off", "500ms,10min");
  args.push("--app-service", "a.yaml", "--app-service", "b.yaml", "--no-rate-limits", "--owner", "alice");
  args.push("--turn-uri", "turn:a", "--turn-uri", "turns:b", "--turn-secret", "t", "--turn-ttl", "60");
  expect(options(args, { HEARTH_OWNER_PASSWORD: "p w" })).toEqual({
    profile: "p",
    relays: ["http://localhost:8008", "https://relay.example.org"],
    serverName: "example.org",
    owner: { username: "alice", password: "p w" },
    clientApi: true,
    clientListen: { host: "::1", port: 8009 },
    settings: {
      registration: "open",
      guests: true,
      first_user_is_admin: false,
      registration_secret: "s",
      rate_limits: false,
      room_version: "10",
      password_cost: { memoryKiB: 8, iterations: 1, parallelism: 1 },
      federation: { backOff: { first: 500, most: 600_000 } },
      turn: { uris: ["turn:a", "turns:b"], ttl: 60, secret: "t" },
    },
    appServices: ["a.yaml", "b.yaml"],
  });
});

test("secrets may come by the environment, where other users of the machine do not see them", () => {
  const env = { HEARTH_REGISTRATION_SECRET: "from there", HEARTH_TURN_SECRET: "t" };
  const { settings } = options(["--turn-uri", "turn:a", "--client-api"], env);
  expect(settings).toMatchObject({ registration_secret: "from there", turn: { secret: "t", ttl: 3600 } });
});

test("--help is all that is wanted, whatever else is said", () => {
  expect(readOptions(["--help"], {})).toBeUndefined();
});

test.each<[args: string[], complaint: string]>([
  [["--relay", "http://localhost:8008"], "--profile needs"],
  [["--profile", "p"], "--relay needs"],
  [[...needed, "--relay", "localhost:8008"], "--relay needs"],
  [[...needed, "--relay", "http://localhost/path"], "--relay needs"],
  [[...needed, "--client-listen", "70000"], "--client-listen needs"],
  [[...needed, "--client-listen", "here"], "--client-listen needs"],
  [[...needed, "--password-cost", "8,1"], "--password-cost needs"],
  [[...needed, "--password-cost", "a,b,c"], "--password-cost needs"],
  [[...needed, "--back-off", "10min,1s"], "--back-off needs"],
  [[...needed, "--back-off", "1,2"], "--back-off needs"],
  [[...needed, "--turn-uri", "turn:a"], "--turn-uri needs"],
  [[...needed, "--owner", "alice"], "HEARTH_OWNER_PASSWORD"],
  [[...needed, "--open-registration", "--token-registration"], "exclude each other"],
  [[...needed, "--colour", "blue"], "--colour"],
  [[...needed, "stray"], "stray"],
])("%j is refused in words", (args, complaint) => {
  expect(() => readOptions(args, {})).toThrow(Failure);
  expect(() => readOptions(args, {})).toThrow(complaint);
});

describe("where a relay has a homeserver for clients", () => {
  const key = "a".repeat(52);
  test.each<[relay: string, name: string, addresses: string[]]>([
    ["http://localhost:8008", key, [`http://${key}.localhost:8008`]],
    ["https://relay.example.org", `${key}.relay.example.org`, [`https://${key}.relay.example.org`]],
    [
      "https://relay.example.org:8448",
      `${key}.relay.example.org:8448`,
      [`https://${key}.relay.example.org:8448`],
    ],
    ["http://localhost:8008", `${key}.localhost:9`, [`http://${key}.localhost:8008`]],
    ["https://relay.example.org", "example.org", ["https://example.org"]],
    ["https://relay.example.org:8448", "127.0.0.1:8448", ["https://127.0.0.1:8448"]],
    ["http://localhost:8008", "127.0.0.1:8448", []],
    ["https://relay.example.org", "example.org:443", ["https://example.org"]],
  ])("%s has %s", (relay, name, addresses) => {
    expect(addressesAt(relay, name)).toEqual(addresses);
  });
});
