import { badJson, invalidParam } from "../errors.ts";
import { isValidNewLocalpart, type ServerName } from "../identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { type Namespace, NamespacePatterns, type Namespaces } from "./namespaces.ts";

/** What a service's registration says; `url` has no slash at its end. */
export type Registration = {
  id: string;
  /** Null: nothing is sent to the service. */
  url: string | null;
  asToken: string;
  hsToken: string;
  senderLocalpart: string;
  namespaces: Namespaces;
  /** Whether the users that it acts as have a budget of requests; its sender never has. */
  rateLimited: boolean;
  protocols: string[];
  /** Typing, receipts and presence are sent to it. */
  receiveEphemeral: boolean;
  /** It has asked for them as of before the specification had them, and may look for them under that name (MSC2409). */
  pushEphemeral: boolean;
  /**
   * Its users encrypt: messages to their devices, changes of device lists and counts of their keys are sent to it, and
   * need not be synced (MSC3202, as bridges ask for it).
   */
  receiveToDevice: boolean;
};

const MAX_TEXT = 255;
const MAX_URL = 2_000;
const MAX_ENTRIES = 500;
/** Whoever guesses the token is all of the service's users. */
const MIN_TOKEN = 16;

/**
 * Holds a registration to its format. What is not understood is left out.
 * @param said - the YAML file, parsed
 * @throws {MatrixError} M_BAD_JSON, M_INVALID_PARAM (400) with a sentence that names the member
 * @see https://spec.matrix.org/v1.19/application-service-api/#registration
 */
export function parseRegistration(said: unknown, serverName: ServerName): Registration {
  if (!isJsonObject(said)) throw badJson("A registration is a list of keys and values.");
  const senderLocalpart = text(said, "sender_localpart");
  if (!isValidNewLocalpart(senderLocalpart, serverName)) {
    throw invalidParam('"sender_localpart" is no localpart that a user can have.');
  }
  const pushEphemeral = flag(said, "de.sorunome.msc2409.push_ephemeral");
  return {
    id: text(said, "id"),
    url: urlOf(said.url),
    asToken: token(said, "as_token"),
    hsToken: token(said, "hs_token"),
    senderLocalpart,
    namespaces: namespacesOf(said.namespaces),
    rateLimited: flag(said, "rate_limited"),
    protocols: list(said.protocols, "protocols").map((name) => shortText(name, "protocols")),
    receiveEphemeral: flag(said, "receive_ephemeral") || pushEphemeral,
    pushEphemeral,
    receiveToDevice: flag(said, "org.matrix.msc3202"),
  };
}

function text(said: JsonObject, name: string): string {
  return shortText(said[name], name);
}

function shortText(value: JsonValue | undefined, name: string): string {
  if (typeof value === "string" && value !== "" && value.length <= MAX_TEXT) return value;
  throw badJson(`"${name}" should be a text of 1 to ${MAX_TEXT} characters.`);
}

function token(said: JsonObject, name: string): string {
  const value = text(said, name);
  if (/^[!-~]+$/.test(value) && value.length >= MIN_TOKEN) return value;
  throw invalidParam(`"${name}" should have ${MIN_TOKEN} characters or more, and no spaces.`);
}

function flag(said: JsonObject, name: string): boolean {
  const value = said[name] ?? false;
  if (typeof value !== "boolean") throw badJson(`"${name}" should be true or false.`);
  return value;
}

function list(value: JsonValue | undefined, name: string): JsonValue[] {
  const entries = value ?? [];
  if (Array.isArray(entries) && entries.length <= MAX_ENTRIES) return entries;
  throw badJson(`"${name}" should be a list of at most ${MAX_ENTRIES}.`);
}

function urlOf(value: JsonValue | undefined): string | null {
  if (value === null) return null;
  const url =
    typeof value === "string" && value.length <= MAX_URL && URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    throw badJson('"url" should be an http or https URL, or null.');
  }
  if (url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== "") {
    throw invalidParam('"url" should have no query, fragment or user.');
  }
  return url.href.replace(/\/+$/, "");
}

function namespacesOf(value: JsonValue | undefined): Namespaces {
  if (!isJsonObject(value)) throw badJson('"namespaces" should have lists of users, aliases and rooms.');
  return {
    users: namespaceList(value, "users"),
    aliases: namespaceList(value, "aliases"),
    rooms: namespaceList(value, "rooms"),
  };
}

function namespaceList(value: JsonObject, kind: string): Namespace[] {
  const name = `namespaces.${kind}`;
  const namespaces = list(value[kind], name).map((entry) => {
    const { regex, exclusive } = isJsonObject(entry) ? entry : {};
    if (typeof regex !== "string" || typeof exclusive !== "boolean") {
      throw badJson(`"${name}" should have a regex, and exclusive: true or false, in each entry.`);
    }
    return { regex, exclusive };
  });
  new NamespacePatterns(namespaces); // refuses what cannot be matched, before anything is stored
  return namespaces;
}
