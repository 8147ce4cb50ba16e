import * as v from "valibot";
import { type IpRange, parseIpRange } from "../../matrix/ip-addresses.ts";
import { isServerName } from "../../matrix/server-names.ts";

/**
 * The kinds of value that settings have. Each takes the text of a flag or an environment variable; a number, a truth
 * value or a list may also stand as such in the file. What they say when a value is wrong follows "should be".
 */

const plain = v.union([
  v.string(),
  v.pipe(v.number(), v.transform(String)),
  v.pipe(v.boolean(), v.transform(String)),
]);
const scalar = (should: string) => v.message(plain, should);

/** A text that `parse` understands. */
function parsed<T>(should: string, parse: (text: string) => T | undefined) {
  return v.pipe(
    scalar(should),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      const value = parse(dataset.value.trim());
      if (value !== undefined) return value;
      addIssue({ message: should });
      return NEVER;
    }),
  );
}

export const text = () => parsed("a text", (value) => (value === "" ? undefined : value));

export const oneOf = <const T extends string>(...words: T[]) =>
  parsed(`one of ${words.join(", ")}`, (value) => words.find((word) => word === value));

export const truth = () =>
  parsed("true or false", (value) => ({ true: true, false: false })[value as "true" | "false"]);

export const wholeNumber = (least: number, most: number) =>
  parsed(`a whole number from ${least} to ${most}`, (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : -1;
    return number >= least && number <= most ? number : undefined;
  });

const byteUnits: { [unit: string]: number } = {
  "": 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** A number of bytes. */
export const byteSize = (least: number) =>
  parsed(`a size such as 500kB, 8MB or 2GiB, at least ${least} bytes`, (value) =>
    measured(value, byteUnits, least),
  );

const timeUnits: { [unit: string]: number } = { ms: 1, s: 1e3, min: 6e4, h: 36e5, d: 864e5 };

/** Milliseconds. */
export const duration = (least: number) =>
  parsed(`a time such as 30s, 10min, 12h or 30d, at least ${least / 1000}s`, (value) =>
    measured(value, timeUnits, least),
  );

function measured(value: string, units: { [unit: string]: number }, least: number): number | undefined {
  const [, number = "", unit = ""] = /^(\d{1,12}(?:\.\d{1,3})?) ?([A-Za-z]*)$/.exec(value) ?? [];
  const size = Math.round(
    Number(number || Number.NaN) * (Object.hasOwn(units, unit) ? (units[unit] ?? 0) : Number.NaN),
  );
  return Number.isSafeInteger(size) && size >= least ? size : undefined;
}

export const serverName = () =>
  parsed("a host name, perhaps with a port, such as relay.example.org", (value) =>
    isServerName(value) && value === value.toLowerCase() ? value : undefined,
  );

export const serverNames = () =>
  listOf("a list of server names in small letters, such as example.org or 127.0.0.1:8448", (value) =>
    isServerName(value) && value === value.toLowerCase() ? value : undefined,
  );

/** Where to listen. */
export type Address = { host: string; port: number };

/** `host:port`, a port alone (on the loopback address), or `off`: undefined inside. */
export const address = () =>
  parsed("host:port, such as 127.0.0.1:8008 or [::]:443, or a port alone, or off", (value) => {
    if (value === "off") return { off: true } as const;
    const [, bracketed, plainHost, digits = ""] =
      /^(?:(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(value) ?? [];
    const port = digits === "" ? -1 : Number(digits);
    return port >= 0 && port < 65_536 ? { host: bracketed ?? plainHost ?? "127.0.0.1", port } : undefined;
  });

export const webUrl = (...protocols: string[]) =>
  parsed(`a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`, (value) => {
    const url = URL.parse(value);
    return url !== null && protocols.includes(url.protocol) ? value.replace(/\/+$/, "") : undefined;
  });

export const contact = () =>
  parsed("mailto: and an address, or an https URL", (value) =>
    /^mailto:[^\s@]+@[^\s@]+$/.test(value) || URL.parse(value)?.protocol === "https:" ? value : undefined,
  );

/** Several of a kind: a list in the file, commas elsewhere. */
export function listOf<T>(should: string, parse: (text: string) => T | undefined) {
  const split = (value: string) => (value.trim() === "" ? [] : value.split(",").map((item) => item.trim()));
  return v.pipe(
    v.message(v.union([v.array(v.string()), v.pipe(v.string(), v.transform(split))]), should),
    v.rawTransform<string[], T[]>(({ dataset, addIssue, NEVER }) => {
      const values: T[] = [];
      for (const item of dataset.value) {
        const value = parse(item);
        if (value === undefined) {
          addIssue({ message: `${should}, each of them` });
          return NEVER;
        }
        values.push(value);
      }
      return values;
    }),
  );
}

export const ipRanges = () =>
  listOf<IpRange>(
    "a list of addresses or networks such as 10.0.0.0/8 (no bits set beyond the length)",
    parseIpRange,
  );
export const paths = () => listOf("a list of files", (path) => (path === "" ? undefined : path));
export const natsUrls = () =>
  listOf("a list of URLs such as nats://host:4222", (url) =>
    ["nats:", "tls:", "ws:", "wss:"].includes(URL.parse(url)?.protocol ?? "") ? url : undefined,
  );
