import { domainOf } from "../../matrix/domain.ts";
import { tooLarge } from "../../matrix/errors.ts";
import { isUserId, parseUserId, type ServerName, serverNameOf } from "../../matrix/identifiers.ts";
import type { JsonObject } from "../../matrix/json.ts";
import { utf8Length } from "../../matrix/utf8.ts";
import type { UsersForMessages } from "../users/api.ts";
import type { MessagesByUser } from "./api.ts";
import { weightOf } from "./bounds.ts";
import type { Device } from "./device.ts";
import { type Parcel, Parcels, type Piece } from "./parcels.ts";

/** Bytes of a content as JSON: what an event may have in all, as clients and servers know it. */
const MAX_CONTENT_BYTES = 65_535;
/** Weight of all that one request sends: `*` makes many of one. */
const MAX_WEIGHT = 32 * 1024 * 1024;
const ALL_DEVICES = "*";

/** What goes to one device of this server. */
export type Delivery = Device & { json: string; weight: number };

export type Addressed = {
  here: Delivery[];
  /** For users of other servers. */
  elsewhere: Parcel[];
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
  const elsewhere = new Parcels();
  let weightElsewhere = 0;
  for (const [text, byDevice] of Object.entries(messages)) {
    const userId = parseUserId(text);
    const contents = new Map(Object.entries(byDevice).map(([id, content]) => [id, written(content)]));
    if (contents.size === 0) continue;
    const server = serverNameOf(userId);
    if (server === serverName) here.push(deliveries(userId, contents, users));
    else {
      for (const piece of piecesOf(userId, byDevice, contents)) {
        weightElsewhere += piece.weight;
        elsewhere.add(server, piece);
      }
    }
  }
  const found = (await Promise.all(here)).flat();
  if (found.reduce((sum, { weight }) => sum + weight, weightElsewhere) > MAX_WEIGHT) {
    throw tooLarge(`The messages of one request may have ${MAX_WEIGHT} bytes for all devices together.`);
  }
  return { here: found, elsewhere: elsewhere.all() };
}

/** Of messages from another server what is for users here; names that are no user ids are not. */
export function onlyHere(messages: MessagesByUser, serverName: ServerName): MessagesByUser {
  return Object.fromEntries(
    Object.entries(messages).filter(([id]) => isUserId(id) && domainOf(id) === serverName),
  );
}

type Written = { json: string; weight: number };

/** What can go each on its own: that of each device, unless there is one for all others. */
function piecesOf(
  userId: string,
  byDevice: Record<string, JsonObject>,
  written: ReadonlyMap<string, Written>,
): Piece[] {
  const contents = Object.entries(byDevice);
  const weights = [...written.values()].map(({ weight }) => weight);
  if (written.has(ALL_DEVICES)) return [{ userId, contents, weight: weights.reduce((a, b) => a + b, 0) }];
  return contents.map((content, i) => ({ userId, contents: [content], weight: weights[i]! }));
}

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
