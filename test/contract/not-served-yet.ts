/** What the reasons are, each for the operations that wait for the same. */
const waiting: Readonly<Record<string, readonly string[]>> = {
  "Device keys and cross-signing are not there yet": [
    "claimKeys",
    "getKeysChanges",
    "queryKeys",
    "uploadCrossSigningKeys",
    "uploadCrossSigningSignatures",
    "uploadKeys",
  ],
  "Finding rooms, users and messages is not there yet": [
    "getPublicRooms",
    "getRoomSummary",
    "getSpaceHierarchy",
    "queryPublicRooms",
    "search",
    "searchUserDirectory",
  ],
  "Relations, threads and events by time are not there yet": [
    "getEventByTimestamp",
    "getRelatingEvents",
    "getRelatingEventsWithRelType",
    "getRelatingEventsWithRelTypeAndEventType",
    "getThreadRoots",
  ],
  "Room upgrades are not there yet": ["upgradeRoom"],
  "Application services are not there yet": ["pingAppservice", "updateAppserviceRoomDirectoryVisibility"],
};

/** The operations that this homeserver does not serve, by their ids, and why. The list can only become shorter. */
export const notServedYet: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(waiting).flatMap(([reason, operations]) =>
    operations.map((operation) => [operation, reason]),
  ),
);
