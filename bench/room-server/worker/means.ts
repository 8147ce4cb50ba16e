import type { Ed25519 } from "../../../src/matrix/ed25519.ts";
import type { Servers } from "./servers.ts";

/** What every measurement works with. */
export type Means = { ed25519: Ed25519; servers: Servers };
