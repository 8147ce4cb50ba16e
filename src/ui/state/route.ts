import { useSyncExternalStore } from "react";

/**
 * The room a tab shows is in its address, after the `#`: so the back button works on a phone, and a reload
 * or a second tab finds the room again.
 */
const prefix = "#/room/";

export function roomInAddress(hash: string): string | null {
  if (!hash.startsWith(prefix)) return null;
  try {
    return decodeURIComponent(hash.slice(prefix.length)) || null;
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

export function addressOfRoom(roomId: string): string {
  return prefix + encodeURIComponent(roomId);
}

export function openRoom(roomId: string): void {
  location.hash = addressOfRoom(roomId);
}

export function closeRoom(): void {
  location.hash = "#/";
}

export function useOpenRoom(): string | null {
  return useSyncExternalStore(subscribe, () => roomInAddress(location.hash));
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}
