/**
 * A server name is a key of 52 characters, so the page shows short names and keeps full ids for the moment
 * somebody asks for them.
 */

/** The localpart of a user id, alias or room id: `@bob:server` is `bob`. What is no id stays as it is. */
export function shortName(id: string): string {
  if (!/^[@#!]/.test(id)) return id;
  const colon = id.indexOf(":");
  return colon === -1 ? id.slice(1) : id.slice(1, colon);
}

/** The server name of an id; the empty string when it names none (as room ids of version 12). */
export function serverOf(id: string): string {
  const colon = id.indexOf(":");
  return colon === -1 ? "" : id.slice(colon + 1);
}

/** A server name short enough for a line: a key shows its first characters. */
export function shortServer(serverName: string): string {
  const [label = "", ...rest] = serverName.split(".");
  return [/^[a-z2-7]{52}$/.test(label) ? `${label.slice(0, 6)}…` : label, ...rest].join(".");
}

/** Text in which user ids show as short names, for what others generate, such as names of rooms. */
export function shortenIds(text: string): string {
  return text.replace(/@[a-z0-9._=/+-]+:[a-zA-Z0-9.:[\]-]+/g, (id) => shortName(id));
}

/**
 * The user id somebody means: `bob`, `@bob` and `bob:server` become whole ids of `homeServer` or of the
 * server they name.
 * @returns null when the text cannot be a user id
 * @see https://spec.matrix.org/v1.19/appendices/#user-identifiers
 */
export function expandUserId(text: string, homeServer: string): string | null {
  const bare = text.trim().replace(/^@/, "");
  const colon = bare.indexOf(":");
  const localpart = (colon === -1 ? bare : bare.slice(0, colon)).toLowerCase();
  const server = colon === -1 ? homeServer : bare.slice(colon + 1);
  if (!/^[a-z0-9._=/+-]+$/.test(localpart) || !isServerName(server)) return null;
  return `@${localpart}:${server}`;
}

/** All the user ids in a list separated by commas or spaces, and the parts that are none. */
export function expandUserIds(text: string, homeServer: string): { ids: string[]; wrong: string[] } {
  const ids = new Set<string>();
  const wrong: string[] = [];
  for (const part of text.split(/[\s,;]+/).filter(Boolean)) {
    const id = expandUserId(part, homeServer);
    if (id) ids.add(id);
    else wrong.push(part);
  }
  return { ids: [...ids], wrong };
}

/**
 * The room id or alias somebody means: `!…` and `#…:server` as they are, `#tea` and `tea` as aliases of
 * `homeServer`; a matrix.to link or a `matrix:` URI of a room as well.
 * @returns null when the text cannot name a room
 */
export function expandRoom(text: string, homeServer: string): string | null {
  const name = roomInLink(text.trim());
  if (name.startsWith("!")) return /^![^\s:]+(:\S+)?$/.test(name) ? name : null;
  const bare = name.replace(/^#/, "");
  const colon = bare.indexOf(":");
  const [localpart, server] =
    colon === -1 ? [bare, homeServer] : [bare.slice(0, colon), bare.slice(colon + 1)];
  if (localpart === "" || /\s/.test(localpart) || !isServerName(server)) return null;
  return `#${localpart}:${server}`;
}

/**
 * The servers that a link to a room names as being in it. Ids of rooms do not say where the room is: whoever is to join
 * by one has to be told whom to ask.
 * @see https://spec.matrix.org/v1.19/appendices/#routing
 */
export function serversInLink(text: string): string[] {
  if (roomInLink(text.trim()) === text.trim()) return [];
  const query = text.trim().slice(text.trim().indexOf("?") + 1);
  return [...new Set(new URLSearchParams(query).getAll("via"))].filter(isServerName);
}

/**
 * The localpart an account gets for the name somebody typed. Other alphabets than Latin have none of their
 * letters in the grammar of localparts; such names get a localpart derived from their characters.
 * @see https://spec.matrix.org/v1.19/appendices/#user-identifiers
 */
export function localpartFor(name: string): string {
  const localpart = name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/ß/g, "ss")
    .replace(/\p{M}/gu, "")
    .replace(/[^a-z0-9._=/+-]+/g, "-")
    .replace(/^[-_.]+|[-.]+$/g, "");
  if (localpart !== "" || name.trim() === "") return localpart;
  let hash = 0;
  for (const character of name.trim()) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) >>> 0;
  return `user-${hash.toString(36)}`;
}

function isServerName(server: string): boolean {
  return /^([a-zA-Z0-9.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?$/.test(server);
}

function roomInLink(text: string): string {
  const matrixTo = /^https:\/\/matrix\.to\/#\/([^?/]+)/.exec(text)?.[1];
  if (matrixTo !== undefined) return decode(matrixTo);
  const uri = /^matrix:(r|roomid)\/([^?/]+)/.exec(text);
  if (!uri) return text;
  return (uri[1] === "r" ? "#" : "!") + decode(uri[2] ?? "");
}

/** A percent sign that escapes nothing is a typing error, not a crash. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
