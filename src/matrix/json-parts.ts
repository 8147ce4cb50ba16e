import { sliceElements, sliceMembers } from "./json-slices.ts";
import { encodeUtf8 } from "./utf8.ts";

// Answers of other servers hold events, which are to be read from their own text (`readReceivedEvent`): a parser keeps
// neither how numbers were written nor that a key came twice.

/**
 * The text of one member of an object, as it was written. One pass over the text; who needs several members of a large
 * one calls `sliceMembers` once.
 * @param text - what was UTF-8, whole
 * @returns undefined where the object has no such member; what it has need not be JSON itself
 * @throws {MatrixError} M_NOT_JSON (400) for what is no object; M_BAD_JSON (400) where it has a key twice
 */
export function memberText(text: string, key: string): string | undefined {
  const slice = sliceMembers(text).get(key);
  return slice === undefined ? undefined : copyOf(slice);
}

/**
 * The texts of the elements of one member of an object, such as `pdus` or `auth_chain`, as they were written. Two passes:
 * less than `JSON.parse` takes for the same.
 * @param text - what was UTF-8, whole
 * @returns none where there is no such member. They need not be JSON themselves.
 * @throws {MatrixError} M_NOT_JSON (400) for what is no object, and for a member that is no array; M_BAD_JSON (400) where
 *   the object has a key twice
 */
export function elementTexts(text: string, key: string): string[] {
  const array = sliceMembers(text).get(key);
  return array === undefined ? [] : sliceElements(array).map(copyOf);
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A text of its own. Engines make a slice refer to all that it was cut from: one event that is kept would keep tens of
 * megabytes that came with it.
 */
const copyOf = (slice: string): string => decoder.decode(encodeUtf8(slice));
