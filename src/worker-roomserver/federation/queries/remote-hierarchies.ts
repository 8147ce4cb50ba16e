import { isJsonObject, type JsonValue } from "../../../matrix/json.ts";
import { readChildren, readList, readToldRoom } from "../../../matrix/told-rooms.ts";
import type { ToldHierarchy } from "../../room/api.ts";
import type { RemoteQuestions } from "../../room/questions/api.ts";
import { Lru } from "../../storage/lru.ts";
import type { FederationContext } from "../context.ts";
import { askSome } from "./ask-some.ts";

/** A client that pages through a space, or opens it again, gets what was told then. Milliseconds. */
const FRESH_MS = 5 * 60_000;
/** Nor is anybody asked again so soon who did not know. */
const ABSENT_MS = 60_000;
/** Characters of all that is kept. */
const KEPT_CHARACTERS = 4_000_000;
/** A space of some hundred rooms has some hundred kilobytes. */
const MAX_BYTES = 4 * 1024 * 1024;

type Known = { until: number; json: string };

/** @see RemoteQuestions.hierarchy */
export function remoteHierarchies(
  context: Pick<FederationContext, "client" | "now" | "serverName">,
): RemoteQuestions["hierarchy"] {
  const { now } = context;
  const known = new Lru<string, Known>(KEPT_CHARACTERS, ({ json }) => json.length + 100);
  const underWay = new Map<string, Promise<ToldHierarchy | undefined>>();

  async function ask(
    key: string,
    [roomId, servers, suggestedOnly]: Parameters<RemoteQuestions["hierarchy"]>,
  ): Promise<ToldHierarchy | undefined> {
    const uri = `/_matrix/federation/v1/hierarchy/${encodeURIComponent(roomId)}?suggested_only=${suggestedOnly}`;
    const found = await askSome(context, servers, { method: "GET", uri, maxBytes: MAX_BYTES }, (json) =>
      readHierarchy(json, roomId, suggestedOnly),
    );
    const until = now() + (found === undefined ? ABSENT_MS : FRESH_MS);
    known.set(key, { until, json: found === undefined ? "" : JSON.stringify(found) });
    return found;
  }

  return async (...question) => {
    const [roomId, servers, suggestedOnly] = question;
    // Others may be asked in vain where these are not.
    const key = JSON.stringify([roomId, servers, suggestedOnly]);
    const fresh = known.get(key);
    if (fresh !== undefined && now() < fresh.until) {
      return fresh.json === "" ? undefined : (JSON.parse(fresh.json) as ToldHierarchy);
    }
    const same = underWay.get(key);
    if (same !== undefined) return same;
    const asked = ask(key, question).finally(() => underWay.delete(key));
    underWay.set(key, asked);
    return asked;
  };
}

/** Only of the room that was asked for, and of rooms that are right below it. */
function readHierarchy(json: JsonValue, roomId: string, suggestedOnly: boolean): ToldHierarchy | undefined {
  if (!isJsonObject(json) || !isJsonObject(json.room)) return undefined;
  const room = readToldRoom(json.room);
  if (room?.room_id !== roomId) return undefined;
  const children_state =
    room.room_type === "m.space" ? readChildren(json.room.children_state, suggestedOnly) : [];
  const below = new Set(children_state.map(({ state_key }) => state_key));
  const isText = (value: JsonValue) => (typeof value === "string" ? value : undefined);
  return {
    room: { ...room, children_state },
    children: readList(json.children, readToldRoom).filter((child) => below.has(child.room_id)),
    inaccessible_children: readList(json.inaccessible_children, isText).filter((child) => below.has(child)),
  };
}
