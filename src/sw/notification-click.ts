/** What is in a notification that mail waits: see push-note.ts. */
type MailData = { mail: true };
/** What a page puts into a notification that it shows: src/ui/notifications/note.ts is the other end. */
type NoteData = { userId: string; roomId: string };

/**
 * Brings a tab of this Hearth forward and has it open the room whose notification was clicked; opens one where there is
 * none. One that says that mail waits only brings it forward, which takes the mail in.
 * @param data - of the notification
 * @param scope - URL of the folder that the page is served from
 */
export async function openFromNotification(
  clients: Pick<Clients, "matchAll" | "openWindow">,
  scope: string,
  data: unknown,
): Promise<void> {
  const room = isNoteData(data) ? data : undefined;
  if (room === undefined && !isMailData(data)) return;
  // The one that was looked at last comes first.
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find(({ url }) => url.startsWith(scope));
  if (page === undefined) {
    await clients.openWindow(room ? `${scope}#/room/${encodeURIComponent(room.roomId)}` : scope);
    return;
  }
  if (room !== undefined) {
    page.postMessage({ type: "openRoom", userId: room.userId, roomId: room.roomId });
  }
  await page.focus();
}

const isMailData = (data: unknown): data is MailData =>
  typeof data === "object" && data !== null && "mail" in data && data.mail === true;

function isNoteData(data: unknown): data is NoteData {
  if (typeof data !== "object" || data === null || !("userId" in data) || !("roomId" in data)) return false;
  return typeof data.userId === "string" && typeof data.roomId === "string";
}
