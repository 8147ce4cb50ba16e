import { parseArgs } from "node:util";
import * as v from "valibot";
import { parse as parseYaml } from "yaml";
import { quote } from "../../matrix/server-names.ts";
import { kebabCase, type Setting, type SettingKey, settings, type Values, variableOf } from "./settings.ts";

/** The configuration cannot be used. The message is for the operator: which key, from where, and what is wrong. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

export type Sources = {
  args: readonly string[];
  env: { [name: string]: string | undefined };
  readFile(path: string): string;
};

const entries = Object.entries(settings) as [SettingKey, Setting][];
const kebabKeys = new Map(entries.map(([key]) => [kebabCase(key), key]));

/** Of what is given twice, the last one in this order is taken: default, file, environment, flag. */
type Given = Map<SettingKey, { value: unknown; from: string }>;

/**
 * Reads and checks all settings.
 * @returns "help" or "version" where that was asked for
 * @throws {ConfigError}
 */
export function readValues(sources: Sources): Values | "help" | "version" {
  const flags = readFlags(sources.args);
  if (flags.help === true) return "help";
  if (flags.version === true) return "version";
  const given: Given = new Map();
  for (const [key, { usual }] of entries)
    if (usual !== undefined) given.set(key, { value: usual, from: "default" });
  const file = flags.config ?? sources.env.HEARTH_RELAY_CONFIG;
  if (typeof file === "string") readFile(file, sources, given);
  readEnvironment(sources.env, given);
  for (const [name, value] of Object.entries(flags)) {
    const key = kebabKeys.get(name);
    if (key !== undefined) given.set(key, { value, from: `--${name}` });
  }
  const values: { [key: string]: unknown } = {};
  for (const [key, { value, from }] of given) values[key] = checked(key, value, from);
  return values as Values;
}

function readFlags(args: readonly string[]): { [name: string]: unknown } {
  const options = Object.fromEntries(
    ["config", ...kebabKeys.keys()].map((name) => [name, { type: "string" as const }]),
  );
  const plain = { help: { type: "boolean" as const }, version: { type: "boolean" as const } };
  try {
    return parseArgs({ args: [...args], options: { ...options, ...plain }, strict: true }).values;
  } catch (error) {
    throw new ConfigError(`${error instanceof Error ? error.message : String(error)} (--help lists all)`);
  }
}

function readFile(path: string, sources: Sources, given: Given): void {
  let read: unknown;
  try {
    read = parseYaml(sources.readFile(path), { prettyErrors: true }) ?? {};
  } catch (error) {
    throw new ConfigError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof read !== "object" || read === null || Array.isArray(read)) {
    throw new ConfigError(`${path}: should be a list of settings such as "name: relay.example.org"`);
  }
  for (const [name, value] of Object.entries(read)) {
    const key = kebabKeys.get(name);
    if (key === undefined)
      throw new ConfigError(`${path}: there is no setting ${quote(name)}${suggestion(name)}`);
    // A key with nothing after it, as in a file whose values are commented out.
    if (value !== null) given.set(key, { value, from: path });
  }
}

function readEnvironment(env: Sources["env"], given: Given): void {
  const known = new Set(["HEARTH_RELAY_CONFIG"]);
  for (const [key] of entries) {
    const variable = variableOf(key);
    known.add(variable);
    const value = env[variable];
    if (value !== undefined) given.set(key, { value, from: variable });
  }
  const odd = Object.keys(env).find((name) => name.startsWith("HEARTH_RELAY_") && !known.has(name));
  if (odd !== undefined) throw new ConfigError(`there is no setting for the environment variable ${odd}`);
}

function checked(key: SettingKey, value: unknown, from: string): unknown {
  const result = v.safeParse(settings[key].schema as v.GenericSchema<unknown, unknown>, value);
  if (result.success) return result.output;
  const shown = quote(typeof value === "string" ? value : (JSON.stringify(value) ?? String(value)));
  const source = from.startsWith("--") || from === variableOf(key) ? from : `${from}: ${kebabCase(key)}`;
  throw new ConfigError(`${source}: should be ${result.issues[0].message}, not ${shown}`);
}

/** The key that was probably meant: the same letters, or one that begins alike. */
function suggestion(name: string): string {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z]/g, "");
  const near = [...kebabKeys.keys()].find(
    (key) => plain(key) === plain(name) || (name.length > 3 && key.startsWith(name.slice(0, 4))),
  );
  return near === undefined ? "" : `; did you mean ${near}?`;
}
