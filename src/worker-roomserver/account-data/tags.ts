import { badJson, invalidParam } from "../../matrix/errors.ts";
import { isJsonObject, type JsonObject } from "../../matrix/json.ts";
import { utf8Length } from "../../matrix/utf8.ts";

const MAX_TAG_BYTES = 255;

/** The tags in the content of an `m.tag`, which a client may also have written whole: others' shape is not trusted. */
export function tagsIn(content: JsonObject | undefined): JsonObject {
  return isJsonObject(content?.tags) ? content.tags : {};
}

/**
 * The content with a tag added or replaced.
 * @throws MatrixError M_INVALID_PARAM for a name of more than 255 bytes, M_BAD_JSON for an order that is no number
 * @see https://spec.matrix.org/v1.19/client-server-api/#room-tagging
 */
export function withTag(content: JsonObject | undefined, tag: string, info: JsonObject): JsonObject {
  if (utf8Length(tag) > MAX_TAG_BYTES) {
    throw invalidParam(`The name of a tag may have at most ${MAX_TAG_BYTES} bytes.`);
  }
  if (info.order !== undefined && typeof info.order !== "number") {
    throw badJson('The "order" of a tag must be a number.');
  }
  return { ...content, tags: { ...tagsIn(content), [tag]: info } };
}

/** The content without the tag; undefined if it is not there. */
export function withoutTag(content: JsonObject | undefined, tag: string): JsonObject | undefined {
  const tags = tagsIn(content);
  if (!Object.hasOwn(tags, tag)) return undefined;
  const { [tag]: _, ...rest } = tags;
  return { ...content, tags: rest };
}
