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
  first_user_is_admin: v.pipe(
    v.boolean(),
    v.description("whether whoever registers first owns the homeserver"),
  ),
  registration_secret: v.pipe(
    v.nullable(v.string()),
    v.description("whoever has it makes accounts at `/_synapse/admin/v1/register`; null: nobody does"),
  ),
  password_cost: v.pipe(
    v.object({ memoryKiB: v.number(), iterations: v.number(), parallelism: v.number() }),
    v.description("of Argon2id, for passwords that are set from now on"),
  ),
  turn: v.pipe(
    v.nullable(turn),
    v.description("a TURN server, with either a `secret` or a `username` and a `password`"),
  ),
  support: v.pipe(v.nullable(support), v.description("who helps users of this homeserver")),
  device_names_for_servers: v.pipe(
    v.boolean(),
    v.description("whether other servers are told how users have named their devices"),
  ),
  profiles_for_servers: v.pipe(v.boolean(), v.description("whether other servers may ask for profiles")),
  public_rooms_for_servers: v.pipe(
    v.boolean(),
    v.description("whether other servers may ask for the public directory"),
  ),
  room_version: v.pipe(v.string(), v.description("of rooms that are made without naming one")),
  rate_limits: v.pipe(
    v.boolean(),
    v.description("whether clients elsewhere are limited, and guesses of secrets"),
  ),
  federation: v.object({
    backOff: v.pipe(
      v.object({ first: v.number(), most: v.number() }),
      v.description("milliseconds for which a server that does not answer is left alone"),
    ),
  }),
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
