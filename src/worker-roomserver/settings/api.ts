import type { UserSettings } from "../users/api.ts";

/**
 * A TURN server that calls may be relayed by. `ttl`: seconds for which a client may use what it is given.
 * With a `secret`, which the TURN server has too, each user gets a name and a password that end; else all have the same.
 */
export type TurnSettings = { uris: string[]; ttl: number } & (
  | { secret: string }
  | { username: string; password: string }
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixsupport */
export type SupportSettings = {
  contacts: { role: string; matrix_id?: string; email_address?: string }[];
  /** A page that helps users of this homeserver. */
  support_page?: string;
};

/**
 * For how long another server that does not answer is left alone: `first` after it has failed for the first time, then
 * more and more, and never longer than `most`. Milliseconds.
 */
export type BackOffSettings = { first: number; most: number };

/**
 * What the server's owner decides. Plain data; a setting that has never been made has its value of `defaults.ts`, so
 * that a new one needs no migration.
 */
export type Settings = UserSettings & {
  /** Null: calls go without. */
  turn: TurnSettings | null;
  /** Null: nobody is named. */
  support: SupportSettings | null;
  /** Whether other servers are told how users have named their devices. */
  device_names_for_servers: boolean;
  /** Whether other servers may ask for users' profiles, and for the public directory. */
  profiles_for_servers: boolean;
  public_rooms_for_servers: boolean;
  /** Of new rooms whose creators name none. */
  room_version: string;
  /** Whether clients that come through a relay are held to a number of requests, and guesses of secrets to a number too. */
  rate_limits: boolean;
  federation: { backOff: BackOffSettings };
};

/** For the owner's console. Nothing here asks who calls, which is the caller's to know. */
export interface SettingsForOwner {
  /** From memory. The TURN server's secret is among it. */
  get(): Promise<Settings>;
  /**
   * Changes the settings that are named, whole each, and leaves the others.
   * @returns all of them, once they are on the disk; one row is written
   * @throws MatrixError M_INVALID_PARAM 400 with a sentence on what is wrong: nothing is changed then
   */
  set(change: Partial<Settings>): Promise<Settings>;
}

export interface SettingsForComponents {
  /** As they are on the disk. Ask anew whenever it matters. */
  readonly current: Readonly<Settings>;
}
