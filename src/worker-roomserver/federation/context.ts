import type { Ed25519 } from "../../matrix/ed25519-rules.ts";
import type { SigningKey } from "../../matrix/signing.ts";
import type { Egress } from "../egress/api.ts";
import type { KeysForReaders, KeysForServers } from "../keys/api.ts";
import type { Node } from "../node/api.ts";
import type { PresenceForReaders } from "../presence/api.ts";
import type { ReceiptsForReaders } from "../receipts/api.ts";
import type { Inbox } from "../relay/api.ts";
import type { RoomForReaders } from "../room/api.ts";
import type { Storage } from "../storage/api.ts";
import type { TypingForReaders } from "../typing/api.ts";
import type { UsersForComponents } from "../users/api.ts";
import type { Destinations, FederationClient, KeyRing } from "./api.ts";

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
  inbox: Inbox;
  users: UsersForComponents;
  room: Node["room"] & RoomForReaders;
  roomDirectory: Node["roomDirectory"];
  roomInput: Node["roomInput"];
  roomQueries: Node["roomQueries"];
  keys: Node["keys"] & KeysForReaders & KeysForServers;
  toDevice: Node["toDevice"];
  presence: Node["presence"] & PresenceForReaders;
  receipts: Node["receipts"] & ReceiptsForReaders;
  typing: Node["typing"] & TypingForReaders;
  media: Node["media"];
};

/** What each part of federation has to work with. */
export type FederationContext = FederationOptions & {
  client: FederationClient;
  keyRing: KeyRing;
  destinations: Destinations;
};
