import { openNodes } from "./nodes.ts";
import type { RelayParts } from "./parts.ts";
import { type NodeStorage, openStorage } from "./storage.ts";

/** The parts that the relay is put together from, as it runs. */
export const relayParts: RelayParts<NodeStorage> = { openStorage, openNodes };
