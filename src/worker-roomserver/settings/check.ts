import { invalidParam } from "../../matrix/errors.ts";
import { isUserId } from "../../matrix/identifiers.ts";
import { isJsonObject } from "../../matrix/json.ts";
import type { Settings } from "./api.ts";

const registrations: readonly unknown[] = ["open", "token", "closed"];
/** A week: longer, and a credential that was passed on is no credential. In seconds. */
const maxTtl = 7 * 24 * 60 * 60;
const maxText = 1_000;
const maxEntries = 50;

/** What each setting must be, as the end of a sentence, where it is not that. */
const complaints: { [Name in keyof Settings]: (value: unknown) => string | undefined } = {
  registration: (value) =>
    registrations.includes(value) ? undefined : 'is to be "open", "token" or "closed"',
  guests: (value) => (typeof value === "boolean" ? undefined : "is to be true or false"),
  turn: (value) => (value === null ? undefined : turnComplaint(value)),
  support: (value) => (value === null ? undefined : supportComplaint(value)),
};

/**
 * Holds settings to what they may be, whoever made them.
 * @throws MatrixError M_INVALID_PARAM 400
 */
export function checkSettings(settings: object): void {
  for (const [name, value] of Object.entries(settings)) {
    if (!Object.hasOwn(complaints, name)) throw invalidParam(`There is no setting "${name}".`);
    const complaint = complaints[name as keyof Settings](value);
    if (complaint !== undefined) throw invalidParam(`The setting "${name}" ${complaint}.`);
  }
}

function turnComplaint(turn: unknown): string | undefined {
  if (!isJsonObject(turn)) return "is to be an object or null";
  const { uris, ttl } = turn;
  if (!isList(uris, 1) || !uris.every((uri) => isText(uri) && /^turns?:[^\s]+$/.test(uri))) {
    return "needs uris, each of the form turn:example.org:3478 or turns:example.org:5349";
  }
  if (!Number.isInteger(ttl) || (ttl as number) < 1 || (ttl as number) > maxTtl) {
    return `needs a ttl of 1 to ${maxTtl} seconds`;
  }
  const isStatic = isText(turn.username) && isText(turn.password) && turn.secret === undefined;
  const isShared = isText(turn.secret) && turn.username === undefined && turn.password === undefined;
  return isStatic || isShared ? undefined : "needs either a secret, or a username and a password";
}

function supportComplaint(support: unknown): string | undefined {
  if (!isJsonObject(support)) return "is to be an object or null";
  const { contacts, support_page: page } = support;
  if (page !== undefined && !(isText(page) && isWebPage(page))) return "has a support_page that is no URL";
  if (!isList(contacts, page === undefined ? 1 : 0)) return "needs contacts or a support_page";
  for (const contact of contacts) {
    const { role, matrix_id: user, email_address: email } = isJsonObject(contact) ? contact : {};
    // Every role but the two of the spec has a namespace.
    if (!isText(role) || !/^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)+$/.test(role)) {
      return 'has a contact without a role, such as "m.role.admin"';
    }
    if (user === undefined && email === undefined) {
      return "has a contact with neither a matrix_id nor an email_address";
    }
    if (user !== undefined && !isUserId(user)) return "has a contact whose matrix_id is no user ID";
    if (email !== undefined && !(isText(email) && /^[^\s@]+@[^\s@]+$/.test(email))) {
      return "has a contact whose email_address is none";
    }
  }
  return undefined;
}

const isText = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && value.length <= maxText;

const isList = (value: unknown, least: number): value is unknown[] =>
  Array.isArray(value) && value.length >= least && value.length <= maxEntries;

const isWebPage = (text: string) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
