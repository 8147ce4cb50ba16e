import type { AccountDataForReaders } from "../account-data/api.ts";
import type { KeysForReaders } from "../keys/api.ts";
import type { PresenceForReaders } from "../presence/api.ts";
import type { PushForReaders } from "../push/api.ts";
import type { ReceiptsForReaders } from "../receipts/api.ts";
import type { RoomForReaders } from "../room/api.ts";
import type { Storage } from "../storage/api.ts";
import type { Position } from "../storage/schema.ts";
import type { ToDeviceForReaders } from "../to-device/api.ts";
import type { TypingForReaders } from "../typing/api.ts";
import type { IgnoredUsers } from "./ignored-users.ts";

/** What sync asks of the other components. */
export type Readers = {
  storage: Storage;
  room: RoomForReaders;
  accountData: AccountDataForReaders;
  typing: TypingForReaders;
  receipts: ReceiptsForReaders;
  presence: PresenceForReaders;
  push: PushForReaders;
  toDevice: ToDeviceForReaders;
  keys: KeysForReaders;
  ignoredUsers: IgnoredUsers;
};

/** The newest position, once the unread counts have come that far. */
export async function newestPosition({ storage, push }: Readers): Promise<Position> {
  const { position } = storage;
  await push.caughtUp(position);
  return position;
}
