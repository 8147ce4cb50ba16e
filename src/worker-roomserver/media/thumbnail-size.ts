/** Pixels. */
export type Size = { width: number; height: number };
export type ThumbnailMethod = "crop" | "scale";
export type ThumbnailBox = Size & { method: ThumbnailMethod };

/** What a thumbnail shows of its image, and how large. */
export type Fit = { from: Size & { x: number; y: number }; to: Size };

/** The spec's sizes, and one more for screens with more pixels. */
const scaled: readonly Size[] = [
  { width: 320, height: 240 },
  { width: 640, height: 480 },
  { width: 800, height: 600 },
  { width: 1600, height: 1200 },
];
/** Lengths of the longer side. */
const cropped = [32, 96, 320, 640, 1600];

/**
 * What is made where a client asks for a size: never less than it asked for, and few different ones of an image.
 * @returns undefined where only the image itself is large enough
 * @see https://spec.matrix.org/v1.19/client-server-api/#thumbnails
 */
export function boxFor({ width, height, method }: ThumbnailBox): ThumbnailBox | undefined {
  if (method === "scale") {
    const box = scaled.find((size) => size.width >= width && size.height >= height);
    return box && { ...box, method };
  }
  const longer = Math.max(width, height);
  const side = cropped.find((length) => length >= longer);
  if (side === undefined) return undefined;
  const grown = (length: number) => Math.max(1, Math.round((length * side) / longer));
  return { width: grown(width), height: grown(height), method };
}

/**
 * How an image goes into the box: `scale` all of it, `crop` the middle of it in the box's form. It is never made
 * larger: of an image that is too small for it a crop has the form alone.
 * @returns undefined where the image is no larger than the box
 */
export function fitInto(image: Size, { width, height, method }: ThumbnailBox): Fit | undefined {
  if (image.width <= width && image.height <= height) return undefined;
  const ratios = [width / image.width, height / image.height] as const;
  if (method === "scale") {
    const ratio = Math.min(...ratios);
    return { from: { x: 0, y: 0, ...image }, to: times(image, ratio) };
  }
  const ratio = Math.max(...ratios);
  const from = {
    width: Math.min(image.width, Math.max(1, Math.round(width / ratio))),
    height: Math.min(image.height, Math.max(1, Math.round(height / ratio))),
  };
  const x = Math.floor((image.width - from.width) / 2);
  const y = Math.floor((image.height - from.height) / 2);
  return { from: { ...from, x, y }, to: ratio <= 1 ? { width, height } : from };
}

const times = (size: Size, ratio: number): Size => ({
  width: Math.max(1, Math.round(size.width * ratio)),
  height: Math.max(1, Math.round(size.height * ratio)),
});
