import { badJson, notJson, tooLarge } from "../matrix/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../matrix/json.ts";
import { parseJsonText } from "../matrix/json-text.ts";
import type { Description } from "./endpoint.ts";

/** Bytes of a body where its endpoint does not say otherwise. An event may have 64 KiB; key uploads are larger. */
export const maxBodyBytes = 1024 * 1024;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** What a body is read from: a request, or what has been taken from one. */
export type BodySource = Pick<Body, "arrayBuffer" | "blob">;

/** The body of a request as its endpoint wants it: an object, or a Blob where it is bytes. */
export async function readBody(
  request: BodySource,
  { bodyFormat, optionalBody }: Pick<Description, "bodyFormat" | "optionalBody">,
): Promise<object> {
  switch (bodyFormat) {
    case undefined:
      return readJsonBody(request, optionalBody === true);
    case "form":
      return readForm(request);
    case "bytes":
      // Browsers keep large ones on disk, so that they need no memory on their way.
      return request.blob();
  }
}

/**
 * Reads a body of the type application/x-www-form-urlencoded; of a name that is repeated the last one counts.
 * @throws {MatrixError} M_TOO_LARGE (413); M_BAD_JSON (400) for what is not UTF-8 or holds a NUL
 */
async function readForm(request: BodySource): Promise<Record<string, string>> {
  const fields = Object.fromEntries(new URLSearchParams(decode(await bytesOf(request))));
  refuseNul(fields);
  return fields;
}

async function bytesOf(request: BodySource): Promise<ArrayBuffer> {
  // Not `request.body`, which Firefox does not have.
  const bytes = await request.arrayBuffer();
  if (bytes.byteLength > maxBodyBytes) {
    throw tooLarge(`The request's body has ${bytes.byteLength} bytes; at most ${maxBodyBytes} are taken.`);
  }
  return bytes;
}

/**
 * Reads a request's body as a JSON object.
 * @param optional - whether an absent body counts as `{}`
 * @throws {MatrixError} M_TOO_LARGE (413); M_NOT_JSON (400) for what is not UTF-8 or not JSON; M_BAD_JSON (400)
 *   for JSON that is no object, or that could not be kept as it was sent (see `parseJsonText`)
 */
async function readJsonBody(request: BodySource, optional: boolean): Promise<JsonObject> {
  const bytes = await bytesOf(request);
  if (bytes.byteLength === 0) {
    if (optional) return {};
    throw notJson("The request's body is empty, and should be JSON.");
  }
  const value = parseJsonText(decode(bytes), { integersOnly: false });
  if (!isJsonObject(value)) throw badJson("The request's body should be a JSON object.");
  refuseNul(value);
  return value;
}

function decode(bytes: ArrayBuffer): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) throw notJson("The request's body is not UTF-8.");
    throw error;
  }
}

/**
 * NUL has a place in JSON, but not in the databases of many servers: what is made here must be storable by all.
 */
function refuseNul(value: JsonValue | undefined): void {
  if (typeof value === "string") {
    if (value.includes("\0")) throw badJson("A string in the request's body holds a NUL character.");
  } else if (typeof value === "object" && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      refuseNul(key);
      refuseNul(member);
    }
  }
}
