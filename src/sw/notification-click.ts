/** What a page puts into a notification that it shows: src/ui/notifications/note.ts is the other end. */
type NoteData = { userId: string; roomId: string };

/**
 * Brings a tab of this Hearth forward and has it open the room whose notification was clicked; opens one where there is
 * none.
 * @param data - of the notification
 * @param scope - URL of the folder that the page is served from
 */
export async function openFromNotification(
  clients: Pick<Clients, "matchAll" | "openWindow">,
  scope: string,
  data: unknown,
): Promise<void> {
  if (!isNoteData(data)) return;
  const { userId, roomId } = data;
  // The one that was looked at last comes first.
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find(({ url }) => url.startsWith(scope));
  if (page === undefined) {
    await clients.openWindow(`${scope}#/room/${encodeURIComponent(roomId)}`);
    return;
  }
  page.postMessage({ type: "openRoom", userId, roomId });
  await page.focus();
}

function isNoteData(data: unknown): data is NoteData {
  if (typeof data !== "object" || data === null || !("userId" in data) || !("roomId" in data)) return false;
  return typeof data.userId === "string" && typeof data.roomId === "string";
}
