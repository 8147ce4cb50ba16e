import type { Ed25519 } from "../../matrix/ed25519.ts";
import type { ServerName } from "../../matrix/identifiers.ts";
import type { Answers } from "../node/answers.ts";
import type { OAuthForComponents } from "../oauth/api.ts";
import type { Settings } from "../settings/api.ts";
import type { Storage } from "../storage/api.ts";
import type { ToDeviceForReaders } from "../to-device/api.ts";
import type { UsersForKeys } from "../users/api.ts";
import type { RemoteKeys } from "./api.ts";
import type { OneTimeKeys } from "./one-time-keys.ts";

/** What the component's operations share. */
export type KeyParts = {
  storage: Storage;
  answers: Answers;
  users: UsersForKeys;
  /** How somebody shows that the account is theirs depends on how their device has logged in. */
  oauth: Pick<OAuthForComponents, "confirmCrossSigningReset">;
  serverName: ServerName;
  ed25519: Ed25519;
  toDevice: Pick<ToDeviceForReaders, "messages">;
  oneTimeKeys: OneTimeKeys;
  remote: RemoteKeys;
  settings: () => Pick<Settings, "device_names_for_servers">;
};
