/** What the reasons are, each for the operations that wait for the same. */
const waiting: Readonly<Record<string, readonly string[]>> = {
  "Administration of accounts is not there yet": [
    "getAdminLockUser",
    "getAdminSuspendUser",
    "getWhoIs",
    "setAdminLockUser",
    "setAdminSuspendUser",
  ],
  "Reports, OpenID tokens and mutual rooms are not there yet": [
    "getMutualRooms",
    "reportEvent",
    "reportRoom",
    "reportUser",
    "requestOpenIdToken",
  ],
  "Single sign-on has no answer of its own yet": ["redirectToIdP", "redirectToSSO"],
  "The server has no contacts and no policy key to tell yet": ["getWellknownPolicy", "getWellknownSupport"],
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
  "The calls of clients from before sync are not there yet": [
    "getEvents",
    "getOneEvent",
    "initialSync",
    "peekEvents",
    "roomInitialSync",
  ],
  "Application services are not there yet": [
    "getProtocolMetadata",
    "pingAppservice",
    "queryLocationByAlias",
    "queryLocationByProtocol",
    "queryUserByID",
    "queryUserByProtocol",
    "updateAppserviceRoomDirectoryVisibility",
  ],
};

/** The operations that this homeserver does not serve, by their ids, and why. The list can only become shorter. */
export const notServedYet: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(waiting).flatMap(([reason, operations]) =>
    operations.map((operation) => [operation, reason]),
  ),
);
