import { directoryEndpoints } from "./directory.ts";
import type { Endpoint } from "./endpoint.ts";
import { membershipEndpoints } from "./membership.ts";
import { messagesEndpoints } from "./messages.ts";
import { nodeStatusEndpoints } from "./node-status.ts";
import { roomsEndpoints } from "./rooms.ts";
import { serverEndpoints } from "./server.ts";
import { stateEndpoints } from "./state.ts";

/**
 * The whole client API.
 * @param baseUrl - where clients reach this homeserver, without a slash at its end
 */
export const allEndpoints = (baseUrl: string): Endpoint[] => [
  ...serverEndpoints(baseUrl),
  ...nodeStatusEndpoints,
  ...roomsEndpoints,
  ...membershipEndpoints,
  ...stateEndpoints,
  ...messagesEndpoints,
  ...directoryEndpoints,
];
