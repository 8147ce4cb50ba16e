import { isJsonObject, type JsonObject, type JsonValue } from "../../../src/matrix/json.ts";
import type { Answer, Send } from "../support/homeserver.ts";
import { type Person, part, v3 } from "../support/person.ts";

/** What changes from one reading to the next though nothing has been written. */
const passing = new Set(["age", "last_seen_ts", "last_seen_ip", "prev_batch", "start", "end", "next_batch"]);

/**
 * Everything that somebody can read of themselves and of the rooms that they are in, by the path that it was read at.
 * @returns undefined for somebody who is not let in any more
 * @throws Error for an answer that is no success
 */
export async function everythingOf(send: Send, { userId, token }: Person): Promise<JsonObject | undefined> {
  const whoami = await send({ method: "GET", path: `${v3}/account/whoami`, token });
  if (whoami.status === 401 || whoami.status === 403) return undefined;
  const found: Record<string, JsonValue> = {};
  const read = async (path: string): Promise<JsonObject> => {
    const answer: Answer = await send({ method: "GET", path: `${v3}${path}`, token });
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    found[path] = lasting(answer.body);
    return answer.body;
  };
  const sync = await read("/sync?timeout=0&set_presence=offline");
  found.sync = lasting({ account_data: sync.account_data, rooms: roomsOf(sync) });
  delete found["/sync?timeout=0&set_presence=offline"]; // presence and typing do not last
  for (const path of ["/devices", "/pushrules/", "/joined_rooms", `/profile/${part(userId)}`])
    await read(path);
  for (const roomId of Object.keys(roomsOf(sync))) {
    const room = `/rooms/${part(roomId)}`;
    for (const path of ["/state", "/members", "/joined_members", "/aliases"]) await read(room + path);
    await read(`/user/${part(userId)}${room}/tags`);
    let from: JsonValue | undefined = "";
    do {
      const page = await read(
        `${room}/messages?dir=b&limit=100${from === "" ? "" : `&from=${part(String(from))}`}`,
      );
      from = page.end;
    } while (from !== undefined);
  }
  return found;
}

/** The rooms that somebody is in, without what lasts only for a moment. */
function roomsOf({ rooms }: JsonObject): JsonObject {
  const joined = isJsonObject(rooms) && isJsonObject(rooms.join) ? rooms.join : {};
  return Object.fromEntries(
    Object.entries(joined).map(([roomId, room]) => {
      const { ephemeral: _, ...rest } = room as JsonObject;
      return [roomId, rest];
    }),
  );
}

function lasting(value: JsonValue | undefined): JsonValue {
  if (Array.isArray(value)) return value.map(lasting);
  if (!isJsonObject(value)) return value ?? null;
  const entries = Object.entries(value).filter(([name]) => !passing.has(name));
  return Object.fromEntries(entries.map(([name, member]) => [name, lasting(member)]));
}
