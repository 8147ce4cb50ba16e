import { StateResolver } from "../state/resolver.ts";
import type { RoomInput } from "./api.ts";
import { Awaited } from "./awaited.ts";
import { Gaps } from "./gaps.ts";
import { ExtremityMerger, type MergerParts } from "./merge.ts";
import { type RoomInputParts, RoomServerInput } from "./room-input.ts";

/** What the room server has already. */
export type RoomInputOptions = Omit<RoomInputParts & MergerParts, "resolver" | "awaited" | "gaps" | "merger">;

/** Puts together what takes in events of other servers. */
export function makeRoomInput(options: RoomInputOptions): RoomInput {
  const { storage } = options;
  const shared = { ...options, resolver: new StateResolver(options) };
  return new RoomServerInput({
    ...shared,
    awaited: new Awaited(storage),
    gaps: new Gaps(storage),
    merger: new ExtremityMerger(shared),
  });
}
