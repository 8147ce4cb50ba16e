import { tooLarge } from "../../matrix/errors.ts";
import { parseUserId, type ServerName, serverNameOf } from "../../matrix/identifiers.ts";
import { utf8Length } from "../../matrix/utf8.ts";
import type { UsersForMessages } from "../users/api.ts";
import type { MessagesByUser } from "./api.ts";
import { weightOf } from "./bounds.ts";
import type { Device } from "./device.ts";

/** Bytes of a content as JSON: what an event may have in all, as clients and servers know it. */
const MAX_CONTENT_BYTES = 65_535;
/** Weight of all that one request sends to devices here: `*` makes many of one. */
const MAX_WEIGHT = 32 * 1024 * 1024;
const ALL_DEVICES = "*";

/** What goes to one device of this server. */
export type Delivery = Device & { json: string; weight: number };

export type Addressed = {
  here: Delivery[];
  /** For users of other servers, by server: `messages` of the EDU. */
  elsewhere: Map<ServerName, MessagesByUser>;
};

/**
 * Finds out who gets what. A content under `*` goes to all devices of the user that are not named beside it.
 * @throws MatrixError M_INVALID_PARAM 400, M_TOO_LARGE 413
 */
export async function addressed(
  messages: MessagesByUser,
  serverName: ServerName,
  users: UsersForMessages,
): Promise<Addressed> {
  const here: Promise<Delivery[]>[] = [];
  const elsewhere: Addressed["elsewhere"] = new Map();
  for (const [text, byDevice] of Object.entries(messages)) {
    const userId = parseUserId(text);
    const contents = new Map(Object.entries(byDevice).map(([id, content]) => [id, written(content)]));
    if (contents.size === 0) continue;
    const server = serverNameOf(userId);
    if (server === serverName) here.push(deliveries(userId, contents, users));
    else elsewhere.set(server, { ...elsewhere.get(server), [userId]: byDevice });
  }
  const found = (await Promise.all(here)).flat();
  if (found.reduce((sum, { weight }) => sum + weight, 0) > MAX_WEIGHT) {
    throw tooLarge(`The messages of one request may have ${MAX_WEIGHT} bytes for all devices together.`);
  }
  return { here: found, elsewhere };
}

type Written = { json: string; weight: number };

async function deliveries(
  userId: string,
  contents: ReadonlyMap<string, Written>,
  users: UsersForMessages,
): Promise<Delivery[]> {
  const devices = await users.deviceIds(userId);
  return devices.flatMap((deviceId) => {
    const content = contents.get(deviceId) ?? contents.get(ALL_DEVICES);
    return content === undefined ? [] : [{ userId, deviceId, ...content }];
  });
}

function written(content: object): Written {
  const json = JSON.stringify(content);
  const bytes = utf8Length(json);
  if (bytes > MAX_CONTENT_BYTES) {
    throw tooLarge(`The content of a message has ${bytes} bytes; at most ${MAX_CONTENT_BYTES} are taken.`);
  }
  return { json, weight: weightOf(bytes) };
}
