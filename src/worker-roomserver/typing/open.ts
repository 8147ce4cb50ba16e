import type { Typing, TypingForReaders, TypingForServers } from "./api.ts";
import { TypingInMemory, type TypingOptions } from "./typing.ts";

/** Who typed under the last leader does so no more: the rooms that were told of it are told that. */
export async function openTyping(
  options: TypingOptions,
): Promise<Typing & TypingForReaders & TypingForServers & { close(): void }> {
  const typing = new TypingInMemory(options);
  await typing.forgetLastLeader();
  return typing;
}
