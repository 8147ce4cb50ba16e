import type { Settings } from "./api.ts";

export const defaultSettings: Settings = {
  // Whoever reaches this homeserver sits at its owner's browser.
  registration: "open",
  guests: true,
  turn: null,
  support: null,
  // A name says what somebody uses, and mostly where.
  device_names_for_servers: false,
  // What is public is so for all the network: nobody else would find this homeserver's rooms.
  profiles_for_servers: true,
  public_rooms_for_servers: true,
};
