import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";

/*
 * What services say of other networks. It goes to clients, so it is held to its shape here; what does not fit is left out.
 */

const isTexts = (value: JsonValue | undefined): value is string[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === "string");

const isFieldType = (value: JsonValue | undefined) =>
  isJsonObject(value) && typeof value.regexp === "string" && typeof value.placeholder === "string";

const isInstance = (value: JsonValue): value is JsonObject =>
  isJsonObject(value) &&
  typeof value.desc === "string" &&
  typeof value.network_id === "string" &&
  isJsonObject(value.fields) &&
  (value.icon === undefined || typeof value.icon === "string");

/**
 * A protocol as a service describes it.
 * @param service - which becomes a part of each instance's `instance_id`, by which clients ask for its rooms
 * @returns undefined for what is no protocol
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3thirdpartyprotocols
 */
export function protocolOf(said: JsonValue, service: string): JsonObject | undefined {
  if (!isJsonObject(said)) return undefined;
  const { user_fields, location_fields, icon, field_types, instances } = said;
  if (!isTexts(user_fields) || !isTexts(location_fields) || !isJsonObject(field_types)) return undefined;
  if (!Object.values(field_types).every(isFieldType)) return undefined;
  const found = Array.isArray(instances) ? instances.filter(isInstance) : [];
  return {
    user_fields,
    location_fields,
    icon: typeof icon === "string" ? icon : "",
    field_types,
    instances: found.map((instance) => ({
      ...instance,
      instance_id: instanceId(service, instance.network_id as string),
    })),
  };
}

/** How clients name a network of a service. */
export const instanceId = (service: string, networkId: string) => `${service}|${networkId}`;

/** Ways to read such a name that are looked at. */
const MOST_WAYS = 8;

/** What such a name may stand for: the sign between its parts may be in each of them, too. */
export function instanceIdParts(id: string): [service: string, networkId: string][] {
  const ways: [string, string][] = [];
  for (let at = id.indexOf("|"); at !== -1 && ways.length < MOST_WAYS; at = id.indexOf("|", at + 1)) {
    ways.push([id.slice(0, at), id.slice(at + 1)]);
  }
  return ways;
}

/** The same protocol of several services: the first one's description, with the instances of all. */
export function mergedProtocol(protocols: readonly JsonObject[]): JsonObject | undefined {
  const [first] = protocols;
  return first && { ...first, instances: protocols.flatMap(({ instances }) => instances as JsonObject[]) };
}

/** Users or locations that were found. `name`: the member that names the Matrix side of one. */
export function foundOf(said: JsonValue, name: "userid" | "alias"): JsonObject[] {
  if (!Array.isArray(said)) return [];
  return said.filter(
    (entry): entry is JsonObject =>
      isJsonObject(entry) &&
      typeof entry[name] === "string" &&
      typeof entry.protocol === "string" &&
      isJsonObject(entry.fields),
  );
}
