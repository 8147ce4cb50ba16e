import { serverKeyDocument } from "../../matrix/server-keys.ts";
import type { FederationContext } from "./context.ts";
import { type Endpoint, endpoint } from "./door/endpoint.ts";

/** What this server says of itself. */
export function ownServer({ serverName, key, now, storage }: FederationContext): Endpoint[] {
  return [
    endpoint({ method: "GET", path: "/_matrix/federation/v1/version", auth: "none" }, async () => ({
      server: { name: "Hearth", version: __HEARTH_VERSION__ },
    })),
    endpoint(
      {
        method: "GET",
        path: "/_matrix/key/v2/server",
        // With the id of a key, as it used to be asked, the answer is the same.
        before: ["/_matrix/key/v2/server/{keyId}"],
        auth: "none",
      },
      async () => serverKeyDocument(serverName, key, now(), await storage.getAllKeys("relays")),
    ),
  ];
}
