import type { JsonObject, JsonValue } from "../../../src/matrix/json.ts";
import type { Egress } from "../../../src/worker-roomserver/egress/api.ts";
import { outsideJson } from "../../worker-roomserver/support/egress.ts";

/** An application service that is always there, and knows one place of another network. */
export const bridgeUrl = "http://bridge.invalid";
export const bridgeToken = "as_token_of_the_bridge_of_the_contract";

export const bridgeRegistration: JsonObject = {
  id: "bridge",
  url: bridgeUrl,
  as_token: bridgeToken,
  hs_token: "hs_token_of_the_bridge_of_the_contract",
  sender_localpart: "_irc_bot",
  namespaces: {
    users: [{ exclusive: true, regex: "@_irc_.*" }],
    aliases: [{ exclusive: true, regex: "#_irc_.*" }],
    rooms: [],
  },
  protocols: ["irc"],
};

const protocol = {
  user_fields: ["nick"],
  location_fields: ["channel"],
  icon: "mxc://example.org/irc",
  field_types: {
    nick: { regexp: "\\S+", placeholder: "bob" },
    channel: { regexp: "#\\S+", placeholder: "#garden" },
  },
  instances: [{ network_id: "net", desc: "A network", fields: {} }],
};
const location = { alias: "#_irc_garden:example.org", protocol: "irc", fields: { channel: "#garden" } };
const user = { userid: "@_irc_bob:example.org", protocol: "irc", fields: { nick: "bob" } };

const answers: [path: string, answer: JsonValue][] = [
  ["/_matrix/app/v1/thirdparty/protocol/irc", protocol],
  ["/_matrix/app/v1/thirdparty/location", [location]],
  ["/_matrix/app/v1/thirdparty/user", [user]],
  ["/_matrix/app/v1/ping", {}],
  ["/_matrix/app/v1/transactions/", {}],
];

/** The only one that there is a way to. */
export const bridgeEgress: Egress = {
  fetch: async ({ url }) => {
    if (!url.startsWith(bridgeUrl))
      return { failure: "unreachable", why: "There is no way out of this test." };
    const found = answers.find(([path]) => url.slice(bridgeUrl.length).startsWith(path));
    return found === undefined ? outsideJson({ errcode: "M_NOT_FOUND" }, 404) : outsideJson(found[1]);
  },
};
