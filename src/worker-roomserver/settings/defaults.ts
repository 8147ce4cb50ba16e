import { defaultRoomVersion } from "../../matrix/room-versions.ts";
import type { Settings } from "./api.ts";

export const defaultSettings: Settings = {
  // Whoever reaches this homeserver sits at its owner's browser.
  registration: "open",
  guests: true,
  // For the same reason: the first to come is the owner.
  first_user_is_admin: true,
  registration_secret: null,
  // The first recommendation for Argon2id of the OWASP Password Storage Cheat Sheet that a phone can bear.
  password_cost: { memoryKiB: 19 * 1024, iterations: 2, parallelism: 1 },
  turn: null,
  support: null,
  // A name says what somebody uses, and mostly where.
  device_names_for_servers: false,
  // What is public is so for all the network: nobody else would find this homeserver's rooms.
  profiles_for_servers: true,
  public_rooms_for_servers: true,
  room_version: defaultRoomVersion,
  rate_limits: true,
  // As federation/destinations/back-off.ts explains it.
  federation: { backOff: { first: 60_000, most: 6 * 60 * 60_000 } },
};
