import { describe, expect, test } from "vitest";
import { drawThumbnail } from "../../../src/worker-roomserver/media/canvas.ts";
import { readImageHeader } from "../../../src/worker-roomserver/media/image-header/image-header.ts";
import { partsOf, testMedia } from "../support/media.ts";
import { requester } from "../support/requester.ts";
import { request } from "../support/users.ts";
import { bytes, exif, gif } from "./images.ts";

/** The left half red, the right half blue. */
async function painted(width: number, height: number, type: string): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d")!;
  context.fillStyle = "red";
  context.fillRect(0, 0, width / 2, height);
  context.fillStyle = "blue";
  context.fillRect(width / 2, 0, width / 2, height);
  return canvas.convertToBlob({ type, quality: 0.95 });
}

/** The image's size, and whether a place in it (parts of its width and height) is more red than blue. */
async function look(image: Blob) {
  const bitmap = await createImageBitmap(image);
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d")!;
  context.drawImage(bitmap, 0, 0);
  const isRed = (x: number, y: number) => {
    const [red = 0, , blue = 0] = context.getImageData(
      Math.floor(x * width),
      Math.floor(y * height),
      1,
      1,
    ).data;
    return red > blue;
  };
  return { size: [width, height], isRed };
}

const headerOf = async (image: Blob) => readImageHeader(new Uint8Array(await image.arrayBuffer()), false);

/** A camera's picture, lying on its side. */
async function turned(width: number, height: number): Promise<Blob> {
  const upright = new Uint8Array(await (await painted(width, height, "image/jpeg")).arrayBuffer());
  return new Blob([bytes(upright.subarray(0, 2), exif(6), upright.subarray(2))], { type: "image/jpeg" });
}

describe("in a browser", () => {
  test.each(["image/png", "image/jpeg", "image/webp"])(
    "the header of %s says what the browser sees",
    async (type) => {
      expect(await headerOf(await painted(301, 77, type))).toEqual({
        type,
        width: 301,
        height: 77,
        isAnimated: false,
      });
    },
  );

  test("a scaled thumbnail shows all of the image", async () => {
    const image = await painted(1000, 400, "image/png");
    const drawn = await drawThumbnail(image, { width: 320, height: 240, method: "scale" }, "image/webp");
    expect(await headerOf(drawn)).toMatchObject({ type: "image/webp", width: 320, height: 128 });
    const { isRed } = await look(drawn);
    expect([isRed(0.02, 0.5), isRed(0.98, 0.5)]).toEqual([true, false]);
  });

  test("a cropped one shows its middle", async () => {
    const image = await painted(1000, 100, "image/png");
    const drawn = await drawThumbnail(image, { width: 96, height: 96, method: "crop" }, "image/webp");
    const { size, isRed } = await look(drawn);
    expect(size).toEqual([96, 96]);
    expect([isRed(0.3, 0.5), isRed(0.7, 0.5)]).toEqual([true, false]);
  });

  test("what a camera has turned stands upright, and where it was taken is not told", async () => {
    const image = await turned(400, 200);
    expect(await headerOf(image)).toMatchObject({ width: 200, height: 400 });
    const drawn = await drawThumbnail(image, { width: 320, height: 240, method: "scale" }, "image/jpeg");
    const { size, isRed } = await look(drawn);
    expect(size).toEqual([120, 240]);
    // Turned by a quarter to the right, so that what was on the left is on top.
    expect([isRed(0.5, 0.1), isRed(0.5, 0.9)]).toEqual([true, false]);
    const text = new TextDecoder("latin1").decode(await drawn.arrayBuffer());
    expect(text).not.toContain("Exif");
    expect(text).not.toContain("GPS");
  });

  test("all of a moving image that stands still has its own size", async () => {
    const drawn = await drawThumbnail(
      new Blob([gif(9, 7, 2)], { type: "image/gif" }),
      undefined,
      "image/webp",
    );
    expect(await headerOf(drawn)).toEqual({ type: "image/webp", width: 9, height: 7, isAnimated: false });
  });

  test("a file that only begins like an image cannot be decoded", async () => {
    const broken = (await painted(300, 300, "image/png")).slice(0, 40);
    await expect(drawThumbnail(broken, undefined, "image/webp")).rejects.toBeInstanceOf(DOMException);
  });

  test("50 MB are stored and read again through handles", async () => {
    const { media, crash } = await testMedia({ draw: drawThumbnail });
    const part = crypto.getRandomValues(new Uint8Array(50_000));
    const large = new Blob(Array<Uint8Array<ArrayBuffer>>(1_000).fill(part), { type: "video/mp4" });
    const { content_uri } = await media.upload(request(), requester("alice"), { blob: large, name: "" });
    const next = await crash();
    const { blob } = await next.media.download(...partsOf(content_uri), { timeoutMs: 0, allowRemote: false });
    expect(blob.size).toBe(50_000_000);
    expect(new Uint8Array(await blob.slice(49_950_000).arrayBuffer())).toEqual(part);
  });

  test("a thumbnail goes all the way", async () => {
    const { media } = await testMedia({ draw: drawThumbnail });
    const blob = await painted(700, 500, "image/jpeg");
    const { content_uri } = await media.upload(request(), requester("alice"), { blob, name: "" });
    const file = await media.thumbnail(...partsOf(content_uri), {
      timeoutMs: 0,
      allowRemote: false,
      width: 32,
      height: 32,
      method: "crop",
      animated: false,
    });
    expect(file.type).toBe("image/jpeg");
    expect((await look(file.blob)).size).toEqual([32, 32]);
  });
});
