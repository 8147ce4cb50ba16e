/*
 * The beginnings of image files, as far as their headers go: nothing that a decoder could draw.
 */

type Part = string | number[] | Uint8Array;

/** Strings are a byte a character. */
export function bytes(...parts: Part[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "string" ? [...part].map((char) => char.charCodeAt(0)) : [...part],
    ),
  );
}

export const big16 = (n: number) => [n >>> 8, n & 255];
export const big32 = (n: number) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
export const little16 = (n: number) => [n & 255, n >>> 8];
export const little24 = (n: number) => [...little16(n & 0xffff), n >>> 16];
const little32 = (n: number) => [...little16(n & 0xffff), ...little16(n >>> 16)];

const chunk = (name: string, ...parts: Part[]) => {
  const data = bytes(...parts);
  return bytes(big32(data.length), name, data, [0, 0, 0, 0]);
};

export const png = (width: number, height: number, isAnimated = false) =>
  bytes(
    "\x89PNG\r\n\x1a\n",
    chunk("IHDR", big32(width), big32(height), [8, 6, 0, 0, 0]),
    chunk("tEXt", "acTL"),
    isAnimated ? chunk("acTL", big32(2), big32(0)) : [],
    chunk("IDAT", "data"),
    chunk("acTL", "too late"),
    chunk("IEND"),
  );

const segment = (marker: number, ...parts: Part[]) => {
  const data = bytes(...parts);
  return bytes([0xff, marker], big16(data.length + 2), data);
};

/** An Exif segment that names an orientation, in either order of bytes. */
export function exif(orientation: number, order: "II" | "MM" = "MM"): Uint8Array<ArrayBuffer> {
  const [two, four] = order === "II" ? [little16, little32] : [big16, big32];
  const entry = [...two(0x0112), ...two(3), ...four(1), ...two(orientation), 0, 0];
  const other = [...two(0x0100), ...two(4), ...four(1), ...four(77)];
  return segment(0xe1, "Exif\0\0", order, two(42), four(8), two(2), other, entry, four(0), "GPS: at home");
}

export const jpeg = (width: number, height: number, ...before: Part[]) =>
  bytes(
    [0xff, 0xd8],
    segment(0xe0, "JFIF\0"),
    ...before,
    [0xff, 0xff],
    segment(0xc4, "a table, no frame").subarray(1),
    segment(0xc2, [8], big16(height), big16(width), [3]),
    [0xff, 0xda],
  );

/** A segment that says nothing, of so many bytes. */
export const padding = (length: number) => segment(0xe2, new Uint8Array(length));

export function gif(width: number, height: number, frames: number, frameWidth = 1): Uint8Array<ArrayBuffer> {
  const frame = bytes(
    [0x21, 0xf9, 4, 0, 10, 0, 0, 0],
    [0x2c, 0, 0, 0, 0],
    little16(frameWidth),
    little16(1),
    [0x80, 0, 0, 0, 255, 255, 255], // with a colour table of its own
    [2, 2, 0x4c, 1, 0],
  );
  return bytes(
    "GIF89a",
    little16(width),
    little16(height),
    [0x81, 0, 0, 0, 0, 0, 255, 255, 255, 9, 9, 9, 8, 8, 8],
    ...Array.from({ length: frames }, () => frame),
    [0x3b],
  );
}

const riff = (...parts: Part[]) => bytes("RIFF", [0, 0, 0, 0], "WEBP", ...parts);
export const webpExtended = (width: number, height: number, isAnimated: boolean) =>
  riff("VP8X", [10, 0, 0, 0], [isAnimated ? 0x12 : 0x10, 0, 0, 0], little24(width - 1), little24(height - 1));
export const webpLossless = (width: number, height: number) =>
  riff("VP8L", [0, 0, 0, 0, 0x2f], little32((width - 1) | ((height - 1) << 14)));
export const webpLossy = (width: number, height: number) =>
  riff("VP8 ", [0, 0, 0, 0, 0, 0, 0], [0x9d, 0x01, 0x2a], little16(width | 0x4000), little16(height));

const box = (type: string, ...parts: Part[]) => {
  const data = bytes(...parts);
  return bytes(big32(data.length + 8), type, data);
};
const largeBox = (type: string, ...parts: Part[]) => {
  const data = bytes(...parts);
  return bytes(big32(1), type, big32(0), big32(data.length + 16), data);
};
const ispe = (width: number, height: number) => box("ispe", big32(0), big32(width), big32(height));

/** A grid: its tiles have a size as well. */
export const avif = (width: number, height: number, brand = "avif") =>
  bytes(
    box("ftyp", brand, big32(0), "mif1"),
    largeBox("free", "nothing"),
    box(
      "meta",
      big32(0),
      box("hdlr", "pict"),
      box("iprp", box("ipco", ispe(64, 64), box("pixi", "x"), ispe(width, height), ispe(64, 64))),
    ),
  );
