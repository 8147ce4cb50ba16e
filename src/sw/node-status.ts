import * as v from "valibot";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** Answered by the service worker alone: whether it is there, and the least that any request takes. */
const health = endpoint(
  {
    method: "GET",
    path: "/_hearth/v1/health",
    auth: "none",
    limit: "none",
    response: v.object({ ok: v.literal(true) }),
  },
  async () => ({ ok: true }) as const,
);

/** What this homeserver is, from its leader: 503 while there is none. */
const info = endpoint(
  {
    method: "GET",
    path: "/_hearth/v1/info",
    auth: "none",
    limit: "none",
    response: v.object({ server_name: v.string(), epoch: v.number(), version: v.string() }),
  },
  async ({ node }) => {
    const { serverName, epoch } = await node.info();
    return { server_name: serverName, epoch, version: __HEARTH_VERSION__ };
  },
);

export const nodeStatusEndpoints: Endpoint[] = [health, info];
