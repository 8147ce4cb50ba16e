import type { Scenario } from "../support/scenario.ts";
import { accountScenarios } from "./account.ts";
import { accountDataScenarios } from "./account-data.ts";
import { addressesScenarios } from "./addresses.ts";
import { appservicesScenarios } from "./appservices.ts";
import { consoleScenarios } from "./console.ts";
import { dehydratedDeviceScenarios } from "./dehydrated-device.ts";
import { devicesScenarios } from "./devices.ts";
import { directoryScenarios } from "./directory.ts";
import { eventsScenarios } from "./events.ts";
import { keyBackupScenarios } from "./key-backup.ts";
import { keysScenarios } from "./keys.ts";
import { loginScenarios } from "./login.ts";
import { mediaScenarios } from "./media.ts";
import { membershipScenarios } from "./membership.ts";
import { presenceScenarios } from "./presence.ts";
import { profilesScenarios } from "./profiles.ts";
import { pushScenarios } from "./push.ts";
import { roomsScenarios } from "./rooms.ts";
import { serverScenarios } from "./server.ts";

/** How each operation is used, at least once. */
export const scenarios: readonly Scenario[] = [
  ...serverScenarios,
  ...accountScenarios,
  ...addressesScenarios,
  ...loginScenarios,
  ...devicesScenarios,
  ...profilesScenarios,
  ...presenceScenarios,
  ...accountDataScenarios,
  ...roomsScenarios,
  ...membershipScenarios,
  ...directoryScenarios,
  ...eventsScenarios,
  ...pushScenarios,
  ...keysScenarios,
  ...dehydratedDeviceScenarios,
  ...keyBackupScenarios,
  ...mediaScenarios,
  ...appservicesScenarios,
  ...consoleScenarios,
];
