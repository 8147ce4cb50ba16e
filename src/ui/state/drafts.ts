import { storageKey } from "./storage-key.ts";

const keyOf = (userId: string, roomId: string) => storageKey(`draft ${userId} ${roomId}`);

/** What somebody began to write in a room; the empty string when nothing. */
export function readDraft(userId: string, roomId: string): string {
  return localStorage.getItem(keyOf(userId, roomId)) ?? "";
}

export function saveDraft(userId: string, roomId: string, text: string): void {
  if (text.trim() === "") localStorage.removeItem(keyOf(userId, roomId));
  else localStorage.setItem(keyOf(userId, roomId), text);
}

/** When an account is signed out, nothing of what it wrote stays behind. */
export function forgetDrafts(userId: string): void {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith(keyOf(userId, ""))) localStorage.removeItem(key);
  }
}
