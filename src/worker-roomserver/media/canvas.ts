import { type Fit, fitInto, type Size, type ThumbnailBox } from "./thumbnail-size.ts";

/**
 * Decodes an image and draws a thumbnail of it, the right way up, without anything else that the file said.
 * @param box - undefined: all of it, at its own size
 * @returns in `type`, or as PNG where the browser cannot write that
 * @throws DOMException for what cannot be decoded
 */
export async function drawThumbnail(
  image: Blob,
  box: ThumbnailBox | undefined,
  type: "image/jpeg" | "image/webp",
): Promise<Blob> {
  const bitmap = await createImageBitmap(image); // its first frame, turned as its Exif says
  try {
    const { width, height } = bitmap;
    const { from, to } = (box && fitInto({ width, height }, box)) ?? whole({ width, height });
    const canvas = new OffscreenCanvas(to.width, to.height);
    const context = canvas.getContext("2d");
    if (context === null) throw new DOMException("There is no canvas to draw on.", "NotSupportedError");
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, from.x, from.y, from.width, from.height, 0, 0, to.width, to.height);
    return await canvas.convertToBlob({ type, quality: 0.8 });
  } finally {
    bitmap.close();
  }
}

const whole = ({ width, height }: Size): Fit => ({
  from: { x: 0, y: 0, width, height },
  to: { width, height },
});
