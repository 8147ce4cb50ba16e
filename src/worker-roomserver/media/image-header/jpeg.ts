import type { Bytes } from "./bytes.ts";
import type { HeaderReader } from "./format.ts";

/** Start of frame, of whichever coding; C4, C8 and CC among them are other things. */
const isFrame = (marker: number) =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
/** Markers that stand alone: restarts, and the start of the image. */
const standsAlone = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
const END = 0xd9;
const SCAN = 0xda;
const APP1 = 0xe1;

/** @see https://www.w3.org/Graphics/JPEG/itu-t81.pdf (annex B) */
export const jpeg: HeaderReader = (file) => {
  if (!file.has(0, "\xff\xd8")) return undefined;
  let orientation = 1;
  for (let at = 2; ; ) {
    if (file.u8(at) !== 0xff) return undefined;
    const marker = file.u8(at + 1);
    if (marker === 0xff)
      at += 1; // markers may be preceded by any number of these
    else if (standsAlone(marker)) at += 2;
    else if (marker === END || marker === SCAN) return undefined;
    else if (isFrame(marker)) {
      const [height, width] = [file.u16(at + 5), file.u16(at + 7)];
      const isTurned = orientation >= 5; // by a quarter
      return {
        type: "image/jpeg",
        width: isTurned ? height : width,
        height: isTurned ? width : height,
        isAnimated: false,
      };
    } else {
      const length = file.u16(at + 2);
      if (length < 2) return undefined;
      if (marker === APP1 && file.has(at + 4, "Exif\0\0")) {
        file.u8(at + 1 + length); // all of it has to be there
        orientation = orientationIn(file, at + 10, at + 2 + length) ?? orientation;
      }
      at += 2 + length;
    }
  }
};

const ORIENTATION = 0x0112;
const SHORT = 3;

/** Exif is a TIFF file of its own. @returns undefined where it says nothing of orientation, or nonsense */
function orientationIn(file: Bytes, start: number, end: number): number | undefined {
  if (start + 8 > end) return undefined;
  const littleEndian = file.text(start, 2) === "II";
  const directory = start + file.u32(start + 4, littleEndian);
  if (directory + 2 > end) return undefined;
  const entries = file.u16(directory, littleEndian);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + 12 * i;
    if (entry + 12 > end) return undefined;
    if (file.u16(entry, littleEndian) !== ORIENTATION) continue;
    const value = file.u16(entry + 8, littleEndian);
    return file.u16(entry + 2, littleEndian) === SHORT && value >= 1 && value <= 8 ? value : undefined;
  }
  return undefined;
}
