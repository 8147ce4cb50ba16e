import type { Filter } from "../../matrix/filters.ts";
import type { Requester } from "../node/requester.ts";
import type { Nid, Position } from "../storage/schema.ts";
import type { StateSection } from "./api.ts";
import type { Serialisers } from "./serialiser.ts";

/** One sync, as all rooms of its answers need to know it. */
export type SyncRequest = Serialisers & {
  requester: Requester;
  user: Nid;
  filter: Filter;
  stateSection: StateSection;
  fullState: boolean;
  /** The client holds timelines that do not go with ours: every timeline counts as limited, so that it starts anew. */
  startsAnew: boolean;
  /** Up to where the device has its messages, and whether that is behind what else it has. */
  toDevice: { after: Position; isBehind: boolean };
};
