import type { RoomForReaders } from "../room/api.ts";
import type { Storage } from "../storage/api.ts";
import type { Typing, TypingForReaders } from "./api.ts";
import { TypingInMemory } from "./typing.ts";

export type TypingOptions = {
  storage: Storage;
  room: Pick<RoomForReaders, "membershipOf" | "nid">;
  /** Milliseconds since 1970. */
  now: () => number;
};

/** Who typed under the last leader does so no more: the rooms that were told of it are told that. */
export async function openTyping(
  options: TypingOptions,
): Promise<Typing & TypingForReaders & { close(): void }> {
  const typing = new TypingInMemory(options);
  await typing.forgetLastLeader();
  return typing;
}
