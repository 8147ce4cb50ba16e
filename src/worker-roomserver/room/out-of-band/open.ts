import { later, lazily, once } from "../../node/later.ts";
import type { RoomParts } from "../parts.ts";
import type { OutOfBandMemberships } from "./api.ts";

const code = later(() => import("./out-of-band.ts"));

/** Loaded when the first invite comes. */
export function openOutOfBand(parts: () => RoomParts): OutOfBandMemberships {
  return lazily<OutOfBandMemberships>(once(async () => new (await code()).OutOfBand(parts())));
}
