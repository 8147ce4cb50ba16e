import { parseRegistration } from "../../../../src/matrix/appservices/registration.ts";
import { parseServerName } from "../../../../src/matrix/identifiers.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import type { AppServiceRow } from "../../../../src/worker-roomserver/storage/schema.ts";

export const h = parseServerName("h.example");
export const asToken = "as_".padEnd(32, "a");
export const hsToken = "hs_".padEnd(32, "h");

export const registration: JsonObject = {
  id: "irc",
  url: "http://irc",
  as_token: asToken,
  hs_token: hsToken,
  sender_localpart: "_irc_bot",
  namespaces: {
    users: [{ exclusive: true, regex: "@_irc_.*" }],
    aliases: [{ exclusive: true, regex: "#_irc_.*" }],
    rooms: [],
  },
  protocols: ["irc"],
};

export const yamlOf = (change: JsonObject = {}) => JSON.stringify({ ...registration, ...change });

export function rowOf(change: JsonObject = {}): Omit<AppServiceRow, "since"> {
  const { asToken: tokenHash, ...kept } = parseRegistration({ ...registration, ...change }, h);
  return { json: JSON.stringify(kept), tokenHash };
}
