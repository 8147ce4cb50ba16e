import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  boxFor,
  fitInto,
  type ThumbnailBox,
  type ThumbnailMethod,
} from "../../../src/worker-roomserver/media/thumbnail-size.ts";

const asked = (width: number, height: number, method: ThumbnailMethod): ThumbnailBox => ({
  width,
  height,
  method,
});

test.each<[ask: ThumbnailBox, box: [number, number] | undefined]>([
  [asked(32, 32, "crop"), [32, 32]],
  [asked(33, 10, "crop"), [96, 29]],
  [asked(96, 96, "crop"), [96, 96]],
  [asked(100, 200, "crop"), [160, 320]],
  [asked(1, 1600, "crop"), [1, 1600]],
  [asked(1601, 5, "crop"), undefined],
  [asked(1, 1, "scale"), [320, 240]],
  [asked(320, 240, "scale"), [320, 240]],
  [asked(320, 241, "scale"), [640, 480]],
  [asked(700, 100, "scale"), [800, 600]],
  [asked(801, 600, "scale"), [1600, 1200]],
  [asked(1600, 1201, "scale"), undefined],
])("a client that asks for %j gets %j", (ask, box) => {
  expect(boxFor(ask)).toEqual(box && asked(...box, ask.method));
});

test.each<[image: [number, number], box: ThumbnailBox, to: [number, number], from: number[]]>([
  [[1600, 1200], asked(800, 600, "scale"), [800, 600], [0, 0, 1600, 1200]],
  [[4000, 1000], asked(800, 600, "scale"), [800, 200], [0, 0, 4000, 1000]],
  [[1000, 4000], asked(320, 240, "scale"), [60, 240], [0, 0, 1000, 4000]],
  [[10_000, 2], asked(320, 240, "scale"), [320, 1], [0, 0, 10_000, 2]],
  [[1000, 500], asked(96, 96, "crop"), [96, 96], [250, 0, 500, 500]],
  [[500, 1000], asked(320, 160, "crop"), [320, 160], [0, 375, 500, 250]],
  [[100, 50], asked(96, 96, "crop"), [50, 50], [25, 0, 50, 50]],
])("an image of %j goes into %j", ([width, height], box, to, from) => {
  const fit = fitInto({ width, height }, box);
  expect(fit?.to).toEqual({ width: to[0], height: to[1] });
  expect(fit?.from).toEqual({ x: from[0], y: from[1], width: from[2], height: from[3] });
});

describe("whatever the image and whatever is asked for", () => {
  const length = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 20_000 }));
  const method = fc.constantFrom<ThumbnailMethod>("crop", "scale");
  const cases = fc.record({ width: length, height: length, method, w: length, h: length });

  test("what is made is not smaller than asked for, and no larger than the image", () => {
    fc.assert(
      fc.property(cases, ({ width, height, method, w, h }) => {
        const box = boxFor({ width, height, method });
        const fit = box && fitInto({ width: w, height: h }, box);
        if (box === undefined || fit === undefined) return; // the image itself
        const { from, to } = fit;
        expect(from.x + from.width).toBeLessThanOrEqual(w);
        expect(from.y + from.height).toBeLessThanOrEqual(h);
        expect(to.width).toBeLessThanOrEqual(from.width);
        expect(to.height).toBeLessThanOrEqual(from.height);
        expect(Math.min(to.width, to.height, from.x + 1, from.y + 1)).toBeGreaterThanOrEqual(1);
        const enough = (got: number, wanted: number, has: number) => got >= Math.min(wanted, has);
        const [wide, high] = [enough(to.width, width, w), enough(to.height, height, h)];
        if (method === "scale") expect(wide || high).toBe(true);
        else if (w >= box.width && h >= box.height)
          expect([to.width, to.height]).toEqual([box.width, box.height]);
      }),
    );
  });

  test("an image that is no larger than asked for is served as it is", () => {
    fc.assert(
      fc.property(cases, ({ width, height, method, w, h }) => {
        const box = boxFor({ width, height, method });
        if (box !== undefined && w <= width && h <= height)
          expect(fitInto({ width: w, height: h }, box)).toBeUndefined();
      }),
    );
  });
});
