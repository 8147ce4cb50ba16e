import type { HeaderReader } from "./format.ts";

/** @see https://www.w3.org/TR/png-3/ : acTL stands before the first IDAT of an animated one. */
export const png: HeaderReader = (file) => {
  if (!file.has(0, "\x89PNG\r\n\x1a\n")) return undefined;
  const [width, height] = [file.u32(16), file.u32(20)];
  let isAnimated = false;
  for (let at = 8; ; at += 12 + file.u32(at)) {
    const chunk = file.text(at + 4);
    if (chunk === "acTL") isAnimated = true;
    if (chunk === "acTL" || chunk === "IDAT" || chunk === "IEND") break;
  }
  return { type: "image/png", width, height, isAnimated };
};
