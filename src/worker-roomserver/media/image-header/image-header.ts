import { avif } from "./avif.ts";
import { Bytes, MoreNeeded } from "./bytes.ts";
import type { HeaderReader, ImageHeader } from "./format.ts";
import { gif } from "./gif.ts";
import { jpeg } from "./jpeg.ts";
import { png } from "./png.ts";
import { webp } from "./webp.ts";

const readers: readonly HeaderReader[] = [png, jpeg, gif, webp, avif];

/**
 * Reads what an image says of itself, by its bytes and not by the type that somebody gave it.
 * @param bytes - the beginning of the file
 * @param hasMore - whether there is more of it
 * @returns "more" where too little of it is there; undefined for what is no image that is known here, or a broken one
 */
export function readImageHeader(bytes: Uint8Array, hasMore: boolean): ImageHeader | "more" | undefined {
  const file = new Bytes(bytes, hasMore);
  try {
    for (const read of readers) {
      const header = read(file);
      if (header !== undefined) return header.width > 0 && header.height > 0 ? header : undefined;
    }
    return undefined;
  } catch (error) {
    if (error instanceof MoreNeeded) return "more";
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
