import type { AccountData } from "../account-data/api.ts";
import type { AppServices } from "../appservices/api.ts";
import type { Console } from "../console/api.ts";
import type { FederationForOwner } from "../federation/api.ts";
import type { KeyBackup } from "../key-backup/api.ts";
import type { Keys } from "../keys/api.ts";
import type { Media, MediaConsole } from "../media/api.ts";
import type { Monitor } from "../monitor/api.ts";
import type { OAuth } from "../oauth/api.ts";
import type { Presence } from "../presence/api.ts";
import type { Push } from "../push/api.ts";
import type { Receipts } from "../receipts/api.ts";
import type { Relays } from "../relay/api.ts";
import type { Reports, ReportsForOwner } from "../reports/api.ts";
import type { RoomConsole, RoomDirectory, RoomForClient } from "../room/api.ts";
import type { RoomInput } from "../room/input/api.ts";
import type { RoomQueries } from "../room/query/graph/api.ts";
import type { Search } from "../search/api.ts";
import type { SettingsForOwner } from "../settings/api.ts";
import type { Sync } from "../sync/api.ts";
import type { OldSync } from "../sync/old/api.ts";
import type { ToDevice } from "../to-device/api.ts";
import type { Typing } from "../typing/api.ts";
import type { UserDirectory } from "../user-directory/api.ts";
import type { Users } from "../users/api.ts";
import type { UsersConsole } from "../users/console/api.ts";
import type { Voip } from "../voip/api.ts";

/** What the node is, for `/versions`, `.well-known` and the page. */
export type NodeInfo = {
  serverName: string;
  /** The fence of this leader: a higher one is newer. */
  epoch: number;
  /** Of rooms whose creators name none. */
  roomVersion: string;
};

/**
 * Everything that the client API calls: one member a component. The same interface is called directly in one
 * thread (tests) and through Comlink; every method returns a promise of plain data, and fails with a MatrixError.
 */
export interface Node {
  info(): Promise<NodeInfo>;
  readonly users: Users;
  readonly oauth: OAuth;
  readonly room: RoomForClient;
  readonly roomDirectory: RoomDirectory;
  /** For events of other servers, and their questions. */
  readonly roomInput: RoomInput;
  readonly roomQueries: RoomQueries;
  /** For the server's owner alone. */
  readonly roomConsole: RoomConsole;
  readonly sync: Sync;
  readonly accountData: AccountData;
  readonly typing: Typing;
  readonly receipts: Receipts;
  readonly presence: Presence;
  readonly push: Push;
  readonly toDevice: ToDevice;
  readonly keyBackup: KeyBackup;
  readonly appServices: AppServices;
  readonly media: Media;
  /** For the server's owner alone. */
  readonly mediaConsole: MediaConsole;
  readonly keys: Keys;
  /** For the server's owner alone. */
  readonly settings: SettingsForOwner;
  readonly reports: Reports & ReportsForOwner;
  readonly voip: Voip;
  readonly oldSync: OldSync;
  readonly search: Search;
  readonly userDirectory: UserDirectory;
  /** For the server's owner alone. */
  readonly relays: Relays;
  /** For the server's owner alone. */
  readonly federation: FederationForOwner;
  readonly usersConsole: UsersConsole;
  readonly monitor: Monitor;
  /** All that is for the owner, by HTTP. */
  readonly console: Console;
}
