import type { Bytes } from "./bytes.ts";
import type { HeaderReader } from "./format.ts";

/** Boxes that are looked at in one file: more are in none that a camera or an encoder has made. */
const MOST_BOXES = 1_000;

type Box = { type: string; from: number; to: number };

/**
 * Of the sizes that the items of the file have, the largest: a grid has one for the whole, and one for its tiles.
 * @see https://aomediacodec.github.io/av1-avif/
 */
export const avif: HeaderReader = (file) => {
  if (!file.has(4, "ftyp")) return undefined;
  const [first] = boxes(file, 0, Number.POSITIVE_INFINITY);
  if (first === undefined) return undefined;
  const brands = new Set<string>();
  for (let at = first.from; at + 4 <= first.to; at += 4) brands.add(file.text(at));
  if (!brands.has("avif") && !brands.has("avis")) return undefined;
  const meta = child(file, 0, Number.POSITIVE_INFINITY, "meta");
  const properties = meta && child(file, meta.from + 4, meta.to, "iprp");
  const container = properties && child(file, properties.from, properties.to, "ipco");
  if (container === undefined) return undefined;
  let [width, height] = [0, 0];
  for (const { type, from } of boxes(file, container.from, container.to)) {
    if (type !== "ispe") continue;
    const size = [file.u32(from + 4), file.u32(from + 8)] as const;
    if (size[0] * size[1] > width * height) [width, height] = size;
  }
  return { type: "image/avif", width, height, isAnimated: brands.has("avis") };
};

function child(file: Bytes, from: number, to: number, type: string): Box | undefined {
  for (const box of boxes(file, from, to)) if (box.type === type) return box;
  return undefined;
}

/** The boxes from a place on, ISO/IEC 14496-12 section 4.2. */
function* boxes(file: Bytes, start: number, end: number): Generator<Box> {
  let at = start;
  for (let count = 0; at + 8 <= end && count < MOST_BOXES; count++) {
    const length = file.u32(at);
    const type = file.text(at + 4);
    const isLong = length === 1;
    const size = isLong ? file.u32(at + 8) * 2 ** 32 + file.u32(at + 12) : length || end - at;
    const head = isLong ? 16 : 8;
    if (size < head) return;
    const to = Math.min(at + size, end);
    yield { type, from: at + head, to };
    at = to;
  }
}
