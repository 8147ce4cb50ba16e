import type { HeaderReader, ImageHeader } from "./format.ts";

const ANIMATION = 0x02;

/** @see https://www.rfc-editor.org/rfc/rfc9649 */
export const webp: HeaderReader = (file) => {
  if (!file.has(0, "RIFF") || !file.has(8, "WEBP")) return undefined;
  const image = (width: number, height: number, isAnimated = false): ImageHeader => ({
    type: "image/webp",
    width,
    height,
    isAnimated,
  });
  switch (file.text(12)) {
    case "VP8X":
      return image(file.u24le(24) + 1, file.u24le(27) + 1, (file.u8(20) & ANIMATION) !== 0);
    case "VP8L": {
      const bits = file.u32(21, true);
      return image((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
    }
    case "VP8 ":
      return image(file.u16(26, true) & 0x3fff, file.u16(28, true) & 0x3fff);
    default:
      return undefined;
  }
};
