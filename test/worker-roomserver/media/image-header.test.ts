import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readImageHeader } from "../../../src/worker-roomserver/media/image-header/image-header.ts";
import * as images from "./images.ts";

const { avif, bytes, exif, gif, jpeg, padding, png, webpExtended, webpLossless, webpLossy } = images;

describe("what an image says of itself", () => {
  test.each<[what: string, file: Uint8Array, type: string, width: number, height: number, animated: boolean]>(
    [
      ["PNG", png(300, 70_000), "png", 300, 70_000, false],
      ["animated PNG", png(3, 5, true), "png", 3, 5, true],
      ["JPEG", jpeg(4000, 3000), "jpeg", 4000, 3000, false],
      ["JPEG with Exif that turns nothing", jpeg(40, 30, exif(3)), "jpeg", 40, 30, false],
      ["JPEG on its side", jpeg(40, 30, exif(6)), "jpeg", 30, 40, false],
      ["JPEG on its side, by a little-endian camera", jpeg(40, 30, exif(8, "II")), "jpeg", 30, 40, false],
      ["JPEG with an orientation that there is not", jpeg(40, 30, exif(9)), "jpeg", 40, 30, false],
      ["GIF", gif(10, 20, 1), "gif", 10, 20, false],
      ["animated GIF", gif(10, 20, 2), "gif", 10, 20, true],
      ["GIF whose frame is larger than its screen", gif(10, 20, 1, 5000), "gif", 5000, 20, false],
      ["WebP, extended", webpExtended(16_777_216, 2, false), "webp", 16_777_216, 2, false],
      ["WebP, animated", webpExtended(9, 8, true), "webp", 9, 8, true],
      ["WebP, lossless", webpLossless(16_384, 16_383), "webp", 16_384, 16_383, false],
      ["WebP, lossy", webpLossy(640, 480), "webp", 640, 480, false],
      ["AVIF", avif(5000, 4000), "avif", 5000, 4000, false],
      ["AVIF sequence", avif(500, 400, "avis"), "avif", 500, 400, true],
    ],
  )("%s", (_, file, type, width, height, isAnimated) => {
    const header = { type: `image/${type}`, width, height, isAnimated };
    expect(readImageHeader(file, false)).toEqual(header);
    expect(readImageHeader(bytes(new Uint8Array(3), file).subarray(3), false)).toEqual(header);
  });

  test.each<[what: string, file: Uint8Array]>([
    ["an empty file", bytes()],
    ["text", bytes("GIF for beginners")],
    ["SVG", bytes('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ["an image of no pixels", png(0, 5)],
    ["a JPEG without a frame", bytes([0xff, 0xd8, 0xff, 0xd9])],
    ["a JPEG with a segment of no length", bytes([0xff, 0xd8, 0xff, 0xe0, 0, 0])],
    ["a video", bytes(images.big32(16), "ftypisom", images.big32(0))],
    ["an AVIF whose box has no end", bytes(images.big32(2), "ftypavif")],
  ])("%s is no image", (_, file) => {
    expect(readImageHeader(file, false)).toBeUndefined();
  });

  test.each([
    ["JPEG", jpeg(40, 30, exif(6), padding(60_000), padding(60_000)), "image/jpeg"],
    ["AVIF", avif(50, 40), "image/avif"],
    ["PNG", png(5, 6), "image/png"],
  ])("of a %s more is asked for until all is there", (_, file, type) => {
    let shortest = file.length;
    for (let length = 12; length < file.length; length += 7) {
      const header = readImageHeader(file.subarray(0, length), true);
      if (header === "more") continue;
      shortest = Math.min(shortest, length);
      expect(header).toEqual(readImageHeader(file, false));
    }
    expect(readImageHeader(file.subarray(0, shortest), true)).toMatchObject({ type });
    expect(readImageHeader(file.subarray(0, 12), true)).toBe("more");
    expect(readImageHeader(file.subarray(0, 12), false)).toBeUndefined();
  });

  test("a GIF whose second frame is out of sight may have one", () => {
    const file = gif(10, 20, 2);
    expect(readImageHeader(file.subarray(0, 50), true)).toMatchObject({ isAnimated: true });
    expect(readImageHeader(file.subarray(0, 50), false)).toMatchObject({ isAnimated: false });
  });

  test("whatever the bytes are, it ends and throws nothing", () => {
    const starts = [png(3, 5), jpeg(3, 5, exif(6)), gif(3, 5, 2), webpExtended(3, 5, true), avif(3, 5)];
    const spoiled = fc
      .tuple(
        fc.constantFrom(...starts),
        fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 12 }),
        fc.nat(220),
      )
      .map(([start, changes, length]) => {
        const file = start.slice(0, length);
        for (const [at, value] of changes) if (at < file.length) file[at] = value;
        return file;
      });
    fc.assert(
      fc.property(spoiled, fc.boolean(), (file, hasMore) => {
        const header = readImageHeader(file, hasMore);
        if (typeof header === "object") expect(header.width * header.height).toBeGreaterThan(0);
        else expect([undefined, ...(hasMore ? ["more"] : [])]).toContain(header);
      }),
    );
  });
});
