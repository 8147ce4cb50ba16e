import { type Bytes, MoreNeeded } from "./bytes.ts";
import type { HeaderReader } from "./format.ts";

const IMAGE = 0x2c;
const EXTENSION = 0x21;

/** @see https://www.w3.org/Graphics/GIF/spec-gif89a.txt */
export const gif: HeaderReader = (file) => {
  if (!file.has(0, "GIF87a") && !file.has(0, "GIF89a")) return undefined;
  const size = { width: file.u16(6, true), height: file.u16(8, true) };
  const isAnimated = hasSecondFrame(file, (at) => {
    // Decoders make room for a frame that is larger than the screen that it should fit on.
    size.width = Math.max(size.width, file.u16(at + 5, true));
    size.height = Math.max(size.height, file.u16(at + 7, true));
  });
  return { type: "image/gif", ...size, isAnimated };
};

/** Goes from block to block; where the beginning of the file does not tell, there may be a second frame. */
function hasSecondFrame(file: Bytes, onFrame: (at: number) => void): boolean {
  let frames = 0;
  try {
    let at = 13 + colourTable(file.u8(10));
    for (;;) {
      const block = file.u8(at);
      if (block === IMAGE) {
        onFrame(at);
        frames += 1;
        if (frames > 1) return true;
        at = afterSubBlocks(file, at + 11 + colourTable(file.u8(at + 9)));
      } else if (block === EXTENSION) {
        at = afterSubBlocks(file, at + 2);
      } else return false; // the trailer, or nothing that a decoder would go on after
    }
  } catch (error) {
    if (error instanceof MoreNeeded && frames > 0) return true;
    if (error instanceof RangeError) return false;
    throw error;
  }
}

const colourTable = (flags: number) => ((flags & 0x80) === 0 ? 0 : 3 << ((flags & 7) + 1));

function afterSubBlocks(file: Bytes, at: number): number {
  let next = at;
  for (let size = file.u8(next); size > 0; size = file.u8(next)) next += size + 1;
  return next + 1;
}
