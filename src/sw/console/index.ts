import type { Endpoint } from "../endpoint.ts";
import { appServicesConsoleEndpoints } from "./app-services.ts";
import { federationEndpoints } from "./federation.ts";
import { logEndpoints } from "./log.ts";
import { mediaConsoleEndpoints } from "./media.ts";
import { registrationTokensEndpoints } from "./registration-tokens.ts";
import { relaysEndpoints } from "./relays.ts";
import { reportsConsoleEndpoints } from "./reports.ts";
import { roomGraphEndpoints } from "./room-graph.ts";
import { roomsEndpoints } from "./rooms.ts";
import { settingsEndpoints } from "./settings.ts";
import { statisticsEndpoints } from "./statistics.ts";
import { usersEndpoints } from "./users.ts";

/** The whole API for the owner, under `/_hearth/v1`. */
export const consoleEndpoints: readonly Endpoint[] = [
  ...usersEndpoints,
  ...roomsEndpoints,
  ...roomGraphEndpoints,
  ...mediaConsoleEndpoints,
  ...registrationTokensEndpoints,
  ...reportsConsoleEndpoints,
  ...appServicesConsoleEndpoints,
  ...settingsEndpoints,
  ...statisticsEndpoints,
  ...logEndpoints,
  ...relaysEndpoints,
  ...federationEndpoints,
];
