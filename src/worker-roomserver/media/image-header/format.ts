import type { Bytes } from "./bytes.ts";

/** What an image says of itself before it is decoded. */
export type ImageHeader = {
  type: "image/png" | "image/jpeg" | "image/gif" | "image/webp" | "image/avif";
  /** Pixels, the right way up. */
  width: number;
  height: number;
  /** Has several pictures, or may have: of some formats only a look at all of the file would tell. */
  isAnimated: boolean;
};

/** How one format is read. @returns undefined for a file of another; throws `MoreNeeded`, or RangeError for a broken one */
export type HeaderReader = (file: Bytes) => ImageHeader | undefined;
