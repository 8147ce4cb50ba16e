import { systemClock } from "../../link/clock.ts";
import { Keeper } from "../../link/keeper.ts";
import type { OpenKeeper } from "./keeper.ts";
import { linkKeepers } from "./link-keeper.ts";

const log = (error: unknown) => console.warn("hearth: a session with a relay", error);

/** Sessions over whatever this browser has. */
export const browserKeepers: OpenKeeper = linkKeepers(
  // Added to the options and not copied with them: the relay's name is read there later.
  async (options) => new Keeper(Object.assign(options, { clock: systemClock, random: Math.random, log })),
  (url, init) => fetch(url, init),
);
