/** Any JSON value, as `JSON.parse` gives it. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
/** A JSON object. Its values are unchecked: look before you use one. */
export type JsonObject = { [key: string]: JsonValue | undefined };

/** Tells an object from the other JSON values (arrays and null are not objects here). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
