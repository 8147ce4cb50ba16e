import { invalidParam } from "../../matrix/errors.ts";
import { isUserId } from "../../matrix/identifiers.ts";
import { isJsonObject } from "../../matrix/json.ts";
import { roomVersionRules } from "../../matrix/room-versions.ts";
import type { Settings } from "./api.ts";

const registrations: readonly unknown[] = ["open", "token", "closed"];
/** A week: longer, and a credential that was passed on is no credential. In seconds. */
const maxTtl = 7 * 24 * 60 * 60;
const maxText = 1_000;
const maxEntries = 50;
/** A secret that can be guessed is none; people are not to think of one themselves. */
const shortestSecret = 8;
/** What a phone can bear at the most, and what Argon2 takes at the least for each lane: in KiB. */
const memory = { least: 8, most: 1024 * 1024 };
const mostIterations = 100;
const mostLanes = 16;
/** A year: whoever wants to hear from a server no more can deny it its rooms. */
const longestBackOff = 365 * 24 * 60 * 60_000;

/** What each setting must be, as the end of a sentence, where it is not that. */
const complaints: { [Name in keyof Settings]: (value: unknown) => string | undefined } = {
  registration: (value) =>
    registrations.includes(value) ? undefined : 'is to be "open", "token" or "closed"',
  guests: truthComplaint,
  first_user_is_admin: truthComplaint,
  registration_secret: (value) =>
    value === null || (isText(value) && value.length >= shortestSecret)
      ? undefined
      : `is to be a text of ${shortestSecret} characters or more, or null`,
  password_cost: passwordCostComplaint,
  turn: (value) => (value === null ? undefined : turnComplaint(value)),
  support: (value) => (value === null ? undefined : supportComplaint(value)),
  device_names_for_servers: truthComplaint,
  profiles_for_servers: truthComplaint,
  public_rooms_for_servers: truthComplaint,
  room_version: (value) =>
    typeof value === "string" && roomVersionRules(value) !== undefined
      ? undefined
      : "is to be a room version that this homeserver knows",
  rate_limits: truthComplaint,
  federation: federationComplaint,
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

function truthComplaint(value: unknown): string | undefined {
  return typeof value === "boolean" ? undefined : "is to be true or false";
}

function passwordCostComplaint(cost: unknown): string | undefined {
  const { memoryKiB, iterations, parallelism, ...others } = isJsonObject(cost) ? cost : {};
  const isGood =
    isWhole(parallelism, 1, mostLanes) &&
    isWhole(iterations, 1, mostIterations) &&
    isWhole(memoryKiB, memory.least * parallelism, memory.most) &&
    Object.keys(others).length === 0;
  return isGood
    ? undefined
    : `needs iterations of 1 to ${mostIterations}, a parallelism of 1 to ${mostLanes}, and a memoryKiB of ${memory.least} for each lane to ${memory.most}`;
}

function federationComplaint(federation: unknown): string | undefined {
  const { backOff, ...others } = isJsonObject(federation) ? federation : {};
  const { first, most, ...more } = isJsonObject(backOff) ? backOff : {};
  const isGood =
    isWhole(first, 1, longestBackOff) &&
    isWhole(most, first, longestBackOff) &&
    Object.keys({ ...others, ...more }).length === 0;
  return isGood
    ? undefined
    : "needs a backOff with first and most, in milliseconds, of which most is not the smaller one";
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

const isWhole = (value: unknown, least: number, most: number): value is number =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;

const isList = (value: unknown, least: number): value is unknown[] =>
  Array.isArray(value) && value.length >= least && value.length <= maxEntries;

const isWebPage = (text: string) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
