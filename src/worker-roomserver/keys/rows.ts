import type { JsonObject } from "../../matrix/json.ts";

/** All keys that begin like this: an array sorts after any text and any number. */
export const startingWith = (...parts: string[]) => IDBKeyRange.bound(parts, [...parts, []]);

/** What has been stored as JSON text. */
export const parsed = (json: string) => JSON.parse(json) as JsonObject;
