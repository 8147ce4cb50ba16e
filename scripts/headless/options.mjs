import { parseArgs } from "node:util";
import { Failure } from "../support/steps.mjs";

export const usage = `npm run headless -- --profile DIR --relay URL [option ...]

  --profile DIR            where the browser keeps the homeserver; one for each
  --relay URL              the relay that serves the page; repeated: relays beside it
  --server-name NAME       a name of your own, at the first start; without it, its key
  --owner NAME             an administrator, whose password is in HEARTH_OWNER_PASSWORD
  --client-api             lets clients in through the relays
  --client-listen [HOST:]PORT  the same, and at an address of its own (plain HTTP)
  --open-registration      whoever comes can have an account
  --token-registration     whoever has a registration token can (without either: nobody)
  --guests                 guests may come
  --registration-secret S  makes accounts at /_synapse/admin/v1/register; or in HEARTH_REGISTRATION_SECRET
  --room-version V         of rooms whose creators name none
  --password-cost K,I,P    Argon2id: KiB of memory, iterations, lanes
  --back-off SHORT,LONG    how long a server that fails is left alone, as in 1min,6h
  --app-service FILE       an application service's registration, read again when it changes; repeated: more
  --turn-uri URI           a TURN server; repeated: more of its URIs
  --turn-secret S          what it shares with the homeserver; or in HEARTH_TURN_SECRET
  --turn-ttl SECONDS       for which its credentials are good (3600)
  --no-rate-limits         for tests: clients may ask as often as they like

An authority of your own that other servers' certificates are signed with is the relay's to know: its --ca.
`;

/**
 * @typedef {{
 *   profile: string, relays: string[], serverName?: string, owner?: { username: string, password: string },
 *   clientApi: boolean, clientListen?: { host: string, port: number }, settings: Record<string, unknown>,
 *   appServices: string[],
 * }} HeadlessOptions relays: origins, the first of them the one that serves the page; settings: as the owner's API has
 *   them
 */

/** @type {{ [name: string]: { type: "string", multiple?: true } | { type: "boolean" } }} */
const known = {
  ...Object.fromEntries(
    ["profile", "server-name", "owner", "client-listen", "registration-secret", "room-version"]
      .concat(["password-cost", "back-off", "turn-secret", "turn-ttl"])
      .map((name) => [name, { type: "string" }]),
  ),
  ...Object.fromEntries(
    ["relay", "app-service", "turn-uri"].map((name) => [name, { type: "string", multiple: true }]),
  ),
  ...Object.fromEntries(
    ["client-api", "open-registration", "token-registration", "guests", "no-rate-limits", "help"].map(
      (name) => [name, { type: "boolean" }],
    ),
  ),
};

/**
 * Every option as it counts from now on. What decides who comes in is set at each start, whatever was set before; other
 * settings are left as they are where nothing is said of them.
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {HeadlessOptions | undefined} undefined where help is wanted
 * @throws {Failure} which says what is wrong with which option
 */
export function readOptions(args, env) {
  const { text, texts, flag } = parsed(args);
  if (flag("help")) return undefined;
  const profile = text("profile") ?? missing("profile", "a folder for the browser");
  const relays = texts("relay").map(originOf);
  if (relays.length === 0) missing("relay", "the URL of a relay that serves the page");
  const clientListen = maybe(text("client-listen"), addressOf);
  const serverName = text("server-name");
  const owner = maybe(text("owner"), (username) => ({
    username,
    password: env.HEARTH_OWNER_PASSWORD || missing("owner", "a password, in HEARTH_OWNER_PASSWORD"),
  }));
  if (flag("open-registration") && flag("token-registration")) {
    throw new Failure("--open-registration and --token-registration exclude each other.");
  }
  const secret = text("registration-secret") ?? (env.HEARTH_REGISTRATION_SECRET || undefined);
  const registration = flag("open-registration") ? "open" : flag("token-registration") ? "token" : "closed";
  return {
    profile,
    relays,
    ...(serverName !== undefined && { serverName }),
    ...(owner && { owner }),
    clientApi: flag("client-api") || clientListen !== undefined,
    ...(clientListen && { clientListen }),
    settings: {
      registration,
      guests: flag("guests"),
      // Whoever comes first need not be the owner where clients come from elsewhere.
      first_user_is_admin: false,
      registration_secret: secret ?? null,
      rate_limits: !flag("no-rate-limits"),
      ...defined({
        room_version: text("room-version"),
        password_cost: maybe(text("password-cost"), passwordCostOf),
        federation: maybe(text("back-off"), (value) => ({ backOff: backOffOf(value) })),
        turn: turnOf(texts("turn-uri"), text("turn-secret") ?? env.HEARTH_TURN_SECRET, text("turn-ttl")),
      }),
    },
    appServices: texts("app-service"),
  };
}

/** @param {string[]} args */
function parsed(args) {
  let values;
  try {
    ({ values } = parseArgs({ args, options: known, strict: true, allowPositionals: false }));
  } catch (error) {
    if (error instanceof TypeError) throw new Failure(`${error.message} (--help says what there is.)`);
    throw error;
  }
  const given = values;
  return {
    /** @param {string} name @returns {string | undefined} */
    text: (name) => {
      const value = given[name];
      return typeof value === "string" ? value : undefined;
    },
    /** @param {string} name @returns {string[]} */
    texts: (name) => {
      const value = given[name];
      return Array.isArray(value) ? value.map(String) : [];
    },
    /** @param {string} name */
    flag: (name) => given[name] === true,
  };
}

/**
 * @param {string} name
 * @param {string} what
 * @returns {never}
 */
function missing(name, what) {
  throw new Failure(`--${name} needs ${what}.`);
}

/**
 * @template T
 * @param {string | undefined} value
 * @param {(value: string) => T} read
 */
const maybe = (value, read) => (value === undefined ? undefined : read(value));

/** @param {Record<string, unknown>} members */
const defined = (members) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

/** @param {string} text */
function originOf(text) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.pathname === "/" && url.search === "") return url.origin;
  return missing("relay", `an address such as http://localhost:8008, not ${JSON.stringify(text)}`);
}

/** @param {string} text - `host:port`, or a port alone */
function addressOf(text) {
  const [, host = "127.0.0.1", digits = ""] = /^(?:\[?([^[\]]+)\]?:)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits !== "" && port < 65_536) return { host, port };
  return missing("client-listen", "host:port, such as 127.0.0.1:8009, or a port alone");
}

/** @param {string} text */
function passwordCostOf(text) {
  const [memoryKiB = 0, iterations = 0, parallelism = 0, ...others] = text.split(",").map(Number);
  const isGood = others.length === 0 && memoryKiB >= 8 && iterations >= 1 && parallelism >= 1;
  return isGood
    ? { memoryKiB, iterations, parallelism }
    : missing("password-cost", "three numbers: 19456,2,1");
}

const units = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** @param {string} text */
function backOffOf(text) {
  const [shortest, longest, ...others] = text.split(",").map((each) => {
    const [, number, unit] = /^(\d{1,6})(ms|s|min|h|d)$/.exec(each.trim()) ?? [];
    return Number(number) * units[/** @type {keyof typeof units} */ (unit)];
  });
  const isGood = others.length === 0 && Number(shortest) > 0 && Number(longest) >= Number(shortest);
  return isGood
    ? { first: shortest, most: longest }
    : missing("back-off", "two times, the shorter first, such as 2s,24h");
}

/**
 * @param {string[]} uris
 * @param {string | undefined} secret
 * @param {string | undefined} ttl
 */
function turnOf(uris, secret, ttl = "3600") {
  if (uris.length === 0) return undefined;
  return { uris, ttl: Number(ttl), secret: secret ?? missing("turn-uri", "a --turn-secret") };
}
