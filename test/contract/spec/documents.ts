import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { isJsonObject, type JsonObject, type JsonValue } from "../../../src/matrix/json.ts";

/** Schemas name one another by addresses relative to their own: an address is what they are known by here. */
const base = "https://spec.invalid/";

/** A place in a file: the address of the file, a `#`, and a JSON pointer. */
export type Address = string;

/** The files of the specification, each read when it is first needed. */
export class Documents {
  readonly #folder: string;
  readonly #files = new Map<string, JsonObject>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param path - in the data's folder: `data/api/client-server/sync.yaml` */
  address = (path: string): Address => `${base}${path}#`;

  /** Where a `$ref` that stands at an address leads to. */
  follow(from: Address, ref: string): Address {
    const to = new URL(ref, from).href;
    return to.includes("#") ? to : `${to}#`;
  }

  /** @throws Error for a place that is not there */
  at(address: Address): JsonObject {
    const [file, pointer] = address.split("#") as [string, string];
    let value: JsonValue | undefined = this.file(file);
    for (const step of pointer.split("/").slice(1)) {
      const name = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
      value = isJsonObject(value) ? value[name] : Array.isArray(value) ? value[Number(name)] : undefined;
    }
    if (!isJsonObject(value)) throw new Error(`the specification has nothing at ${address}`);
    return value;
  }

  file(url: string): JsonObject {
    const known = this.#files.get(url);
    if (known !== undefined) return known;
    const read = parse(readFileSync(this.#folder + url.slice(base.length - 1), "utf8")) as JsonObject;
    delete read.$schema; // of an older draft in some, which says nothing that the newer one does not
    this.#files.set(url, read);
    return read;
  }

  /** The object at an address, or where that refers to, and its own address. */
  resolve(address: Address): [JsonObject, Address] {
    const found = this.at(address);
    const ref = found.$ref;
    return typeof ref === "string" ? this.resolve(this.follow(address, ref)) : [found, address];
  }

  /** Every file that a file refers to, and itself. */
  reachable(url: string, found = new Set<string>()): Set<string> {
    if (found.has(url)) return found;
    found.add(url);
    for (const ref of refsIn(this.file(url))) this.reachable(new URL(ref, url).href.split("#")[0]!, found);
    return found;
  }
}

/** The `$ref`s of schemas. Those of examples lead to examples, which are not schemas. */
function refsIn(value: JsonValue | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap(refsIn);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    if (name === "example" || name === "examples") return [];
    return name === "$ref" && typeof member === "string" ? [member] : refsIn(member);
  });
}

/** The address of a member. */
export const within = (address: Address, ...names: string[]): Address =>
  names.reduce(
    (path, name) => `${path}/${encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"))}`,
    address,
  );
