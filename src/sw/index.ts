import { accountEndpoints } from "./account.ts";
import { accountDataEndpoints } from "./account-data.ts";
import { adminEndpoints } from "./admin.ts";
import { administrativeContactEndpoints } from "./administrative-contact.ts";
import { appServiceEndpoints } from "./app-services.ts";
import { capabilitiesEndpoints } from "./capabilities.ts";
import { consoleRequests } from "./console-requests.ts";
import { crossSigningEndpoints } from "./cross-signing.ts";
import { dehydratedDeviceEndpoints } from "./dehydrated-device.ts";
import { deviceEndpoints } from "./devices.ts";
import { directoryEndpoints } from "./directory.ts";
import type { Endpoint } from "./endpoint.ts";
import { filtersEndpoints } from "./filters.ts";
import { keyBackupEndpoints } from "./key-backup.ts";
import { keysEndpoints } from "./keys.ts";
import { loginEndpoints } from "./login.ts";
import { mediaEndpoints } from "./media.ts";
import { membershipEndpoints } from "./membership.ts";
import { messagesEndpoints } from "./messages.ts";
import { mutualRoomsEndpoints } from "./mutual-rooms.ts";
import { nodeStatusEndpoints } from "./node-status.ts";
import { notificationsEndpoints } from "./notifications.ts";
import { oauthEndpoints } from "./oauth.ts";
import { oauthMetadataEndpoints } from "./oauth-metadata.ts";
import { oauthPagesEndpoints } from "./oauth-pages.ts";
import { oldSyncEndpoints } from "./old-sync.ts";
import { openIdEndpoints } from "./openid.ts";
import { presenceEndpoints } from "./presence.ts";
import { profileEndpoints } from "./profile.ts";
import { publicRoomsEndpoints } from "./public-rooms.ts";
import { pushRulesEndpoints } from "./push-rules.ts";
import { pushersEndpoints } from "./pushers.ts";
import { receiptsEndpoints } from "./receipts.ts";
import { registrationEndpoints } from "./registration.ts";
import { relationsEndpoints } from "./relations.ts";
import { reportEndpoints } from "./reports.ts";
import { roomSummaryEndpoints } from "./room-summary.ts";
import { roomUpgradesEndpoints } from "./room-upgrades.ts";
import { roomsEndpoints } from "./rooms.ts";
import { searchEndpoints } from "./search.ts";
import { serverEndpoints } from "./server.ts";
import { slidingSyncEndpoints } from "./sliding-sync.ts";
import { spacesEndpoints } from "./spaces.ts";
import { ssoEndpoints } from "./sso.ts";
import { stateEndpoints } from "./state.ts";
import { synapseRegistrationEndpoints } from "./synapse-registration.ts";
import { syncEndpoints } from "./sync.ts";
import { thirdPartyEndpoints } from "./third-party.ts";
import { threadsEndpoints } from "./threads.ts";
import { toDeviceEndpoints } from "./to-device.ts";
import { typingEndpoints } from "./typing.ts";
import { userDirectoryEndpoints } from "./user-directory.ts";
import { voipEndpoints } from "./voip.ts";
import { wellKnownEndpoints } from "./well-known.ts";

/** The whole client API. */
export const allEndpoints: Endpoint[] = [
  ...serverEndpoints,
  ...wellKnownEndpoints,
  ...capabilitiesEndpoints,
  ...nodeStatusEndpoints,
  ...consoleRequests,
  ...registrationEndpoints,
  ...synapseRegistrationEndpoints,
  ...loginEndpoints,
  ...oauthMetadataEndpoints,
  ...oauthEndpoints,
  ...oauthPagesEndpoints,
  ...accountEndpoints,
  ...administrativeContactEndpoints,
  ...adminEndpoints,
  ...openIdEndpoints,
  ...ssoEndpoints,
  ...deviceEndpoints,
  ...keysEndpoints,
  ...crossSigningEndpoints,
  ...dehydratedDeviceEndpoints,
  ...profileEndpoints,
  ...roomsEndpoints,
  ...membershipEndpoints,
  ...stateEndpoints,
  ...messagesEndpoints,
  ...relationsEndpoints,
  ...threadsEndpoints,
  ...roomUpgradesEndpoints,
  ...roomSummaryEndpoints,
  ...spacesEndpoints,
  ...publicRoomsEndpoints,
  ...directoryEndpoints,
  ...typingEndpoints,
  ...syncEndpoints,
  ...slidingSyncEndpoints,
  ...receiptsEndpoints,
  ...pushRulesEndpoints,
  ...notificationsEndpoints,
  ...pushersEndpoints,
  ...presenceEndpoints,
  ...filtersEndpoints,
  ...accountDataEndpoints,
  ...toDeviceEndpoints,
  ...appServiceEndpoints,
  ...keyBackupEndpoints,
  ...mediaEndpoints,
  ...thirdPartyEndpoints,
  ...reportEndpoints,
  ...voipEndpoints,
  ...mutualRoomsEndpoints,
  ...oldSyncEndpoints,
  ...searchEndpoints,
  ...userDirectoryEndpoints,
];
