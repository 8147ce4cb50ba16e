import * as v from "valibot";
import type { Settings } from "../../worker-roomserver/settings/api.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { reads, writes } from "./schemas.ts";

const turn = v.object({
  uris: v.array(v.string()),
  ttl: v.pipe(v.number(), v.description("seconds")),
  secret: v.optional(v.string()),
  username: v.optional(v.string()),
  password: v.optional(v.string()),
});

const support = v.object({
  contacts: v.array(
    v.object({
      role: v.string(),
      matrix_id: v.optional(v.string()),
      email_address: v.optional(v.string()),
    }),
  ),
  support_page: v.optional(v.string()),
});

/** Of what form each setting is; what its value may be, the component says. */
const settings = {
  registration: v.pipe(
    v.picklist(["open", "token", "closed"]),
    v.description("`token`: who has a registration token"),
  ),
  guests: v.boolean(),
  turn: v.pipe(
    v.nullable(turn),
    v.description("a TURN server, with either a `secret` or a `username` and a `password`"),
  ),
  support: v.pipe(v.nullable(support), v.description("who helps users of this homeserver")),
} satisfies Record<keyof Settings, v.GenericSchema>;

const path = "/_hearth/v1/settings";

const get = endpoint(
  {
    ...reads,
    operationId: "getSettings",
    summary: "What the owner has decided, secrets among it.",
    path,
    response: v.strictObject(settings),
  },
  ({ node }) => node.settings.get(),
);

const change = endpoint(
  {
    ...writes,
    method: "PUT",
    operationId: "changeSettings",
    summary: "Changes the settings that are named, each as a whole.",
    path,
    // Loose, so that the component refuses a name that there is not, which would otherwise be passed over.
    body: v.looseObject(v.partial(v.object(settings)).entries),
    response: v.strictObject(settings),
  },
  ({ node, body }) => node.settings.set(body as Partial<Settings>),
);

export const settingsEndpoints: Endpoint[] = [get, change];
