import type { Ed25519 } from "../../matrix/ed25519-rules.ts";
import type { SigningKey } from "../../matrix/signing.ts";
import type { Egress } from "../egress/api.ts";
import type { KeysForReaders, KeysForRemoteUsers, KeysForServers } from "../keys/api.ts";
import type { Node } from "../node/api.ts";
import type { PresenceForReaders, PresenceForServers } from "../presence/api.ts";
import type { ReceiptsForReaders, ReceiptsForServers } from "../receipts/api.ts";
import type { Inbox } from "../relay/api.ts";
import type { RoomForReaders } from "../room/api.ts";
import type { OutOfBandMemberships } from "../room/out-of-band/api.ts";
import type { Settings } from "../settings/api.ts";
import type { Storage } from "../storage/api.ts";
import type { ToDeviceForServers, ToDeviceOutbox } from "../to-device/api.ts";
import type { TypingForReaders, TypingForServers } from "../typing/api.ts";
import type { Users, UsersForComponents } from "../users/api.ts";
import type { Destinations, FederationClient, KeyRing } from "./api.ts";
import type { BackOff } from "./destinations/back-off.ts";

/** What federation is made over: the parts of this node that it brings together with other servers. */
export type FederationOptions = {
  storage: Storage;
  serverName: string;
  key: SigningKey;
  ed25519: Ed25519;
  egress: Egress;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Calls after so many milliseconds. @returns how to keep it from that */
  later: (ms: number, call: () => void) => () => void;
  random: () => number;
  /** How long servers are left alone that do not answer; by default as `usualBackOff` has it. */
  backOff?: BackOff | undefined;
  /** As they are now. */
  settings: () => Readonly<Settings>;
  inbox: Inbox;
  /** Whether others can reach this server now. */
  isReachable: () => Promise<boolean>;
  users: UsersForComponents & Pick<Users, "profile" | "openIdUser">;
  room: Node["room"] & RoomForReaders;
  roomDirectory: Node["roomDirectory"];
  roomInput: Node["roomInput"];
  roomQueries: Node["roomQueries"];
  outOfBand: OutOfBandMemberships;
  keys: Node["keys"] & KeysForReaders & KeysForRemoteUsers & KeysForServers;
  toDevice: Node["toDevice"] & ToDeviceForServers & ToDeviceOutbox;
  presence: Node["presence"] & PresenceForReaders & PresenceForServers;
  receipts: Node["receipts"] & ReceiptsForReaders & ReceiptsForServers;
  typing: Node["typing"] & TypingForReaders & TypingForServers;
  media: Node["media"];
};

/** What each part of federation has to work with. */
export type FederationContext = FederationOptions & {
  client: FederationClient;
  keyRing: KeyRing;
  destinations: Destinations;
};
