import type { Settings } from "./api.ts";

export const defaultSettings: Settings = {
  // Whoever reaches this homeserver sits at its owner's browser.
  registration: "open",
  guests: true,
  turn: null,
  support: null,
};
