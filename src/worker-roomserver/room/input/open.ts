import { later, lazily, once } from "../../node/later.ts";
import type { RoomInput } from "./api.ts";
import type { RoomInputOptions } from "./make-input.ts";

const code = later(() => import("./make-input.ts"));

/** Loads what takes in others' events, and state resolution with it, when the first of them comes. */
export function openRoomInput(options: RoomInputOptions): RoomInput {
  return lazily<RoomInput>(once(async () => (await code()).makeRoomInput(options)));
}
