import type { SettingsForComponents } from "../settings/api.ts";
import type { Voip } from "./api.ts";
import { turnCredentials } from "./turn-credentials.ts";

/** @param options.now - milliseconds since 1970 */
export function openVoip(options: { settings: SettingsForComponents; now: () => number }): Voip {
  const { settings, now } = options;
  return {
    turnServer: async ({ userId }) => {
      const { turn } = settings.current;
      return turn === null ? {} : turnCredentials(turn, userId, now());
    },
  };
}
