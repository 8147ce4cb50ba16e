import { later, lazily, lazySteps, once } from "../node/later.ts";
import type { MediaOptions, OpenMedia } from "./options.ts";

const code = later(() => import("./media.ts"));

/** Puts the component together when it is first called. */
export function openMedia(options: MediaOptions): OpenMedia {
  const whole = once(async () => (await code()).makeMedia(options));
  return {
    media: lazily(async () => (await whole()).media),
    mediaConsole: lazily(async () => (await whole()).mediaConsole),
    dropExpired: () => lazySteps(async () => (await whole()).dropExpired()),
    dropOrphans: () => lazySteps(async () => (await whole()).dropOrphans()),
  };
}
