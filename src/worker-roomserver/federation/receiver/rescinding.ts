import { MatrixError } from "../../../matrix/errors.ts";
import { isJsonObject } from "../../../matrix/json.ts";
import { parseOnly } from "../../../matrix/json-text.ts";
import { type ReceivedEvent, readReceivedEvent } from "../../../matrix/received-event.ts";
import { type RoomVersionRules, roomVersionRules } from "../../../matrix/room-versions.ts";
import type { FederationContext } from "../context.ts";
import type { TakeRescinded } from "./api.ts";

/** Reads what may end an invite or a knock by the version that this was said to be of, and checks who has signed it. */
export function rescinding({
  outOfBand,
  keyRing,
}: Pick<FederationContext, "outOfBand" | "keyRing">): TakeRescinded {
  return async (origin, text) => {
    const about = memberIn(text);
    if (about === undefined) return false;
    const found = await outOfBand.find(about.roomId, about.userId);
    const rules = found && roomVersionRules(found.roomVersion);
    if (rules === undefined) return false;
    const event = readOrNone(text, rules);
    if (event === undefined) return false;
    const [complaint] = await keyRing.checkEvents([event], rules, origin);
    return complaint === undefined && outOfBand.rescinded(event);
  };
}

/** Of whom in which room a text speaks, if it is a member event at all. */
function memberIn(text: string): { roomId: string; userId: string } | undefined {
  const json = parseOnly(text);
  if (!isJsonObject(json) || json.type !== "m.room.member") return undefined;
  const { room_id: roomId, state_key: userId } = json;
  return typeof roomId === "string" && typeof userId === "string" ? { roomId, userId } : undefined;
}

function readOrNone(text: string, rules: RoomVersionRules): ReceivedEvent | undefined {
  try {
    return readReceivedEvent(text, rules);
  } catch (error) {
    if (error instanceof MatrixError) return undefined;
    throw error;
  }
}
