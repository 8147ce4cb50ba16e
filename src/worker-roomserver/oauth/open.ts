import { later, lazily, lazySteps, once } from "../node/later.ts";
import type { OAuth, OAuthForComponents, OAuthForNode } from "./api.ts";
import type { OAuthOptions } from "./parts.ts";

type Whole = OAuth & OAuthForComponents & OAuthForNode;

const code = later(() => import("./oauth.ts"));

/** Puts the component together when it is first called: hardly anybody logs in while a homeserver opens. */
export function openOAuth(options: OAuthOptions): Whole {
  const whole = once(async () => (await code()).makeOAuth(options));
  return lazily<OAuth & OAuthForComponents, OAuthForNode>(whole, {
    dropExpired: () => lazySteps(async () => (await whole()).dropExpired()),
    dropUnusedClients: () => lazySteps(async () => (await whole()).dropUnusedClients()),
  });
}
