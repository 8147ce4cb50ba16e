import { describe, expect, test, vi } from "vitest";
import type { ThumbnailRequest } from "../../../src/worker-roomserver/media/api.ts";
import { mostThumbnails } from "../../../src/worker-roomserver/media/limits.ts";
import { fileOf, partsOf, type TestMedia, testMedia, through } from "../support/media.ts";
import { refusal, requester } from "../support/requester.ts";
import { dump } from "../support/storage.ts";
import { request } from "../support/users.ts";
import { avif, gif, jpeg, padding, png, webpExtended } from "./images.ts";

const alice = requester("alice");

const asked = (more: Partial<ThumbnailRequest> = {}): ThumbnailRequest => ({
  timeoutMs: 0,
  allowRemote: true,
  width: 96,
  height: 96,
  method: "crop",
  animated: false,
  ...more,
});

async function withImage(image: BlobPart, world: Parameters<typeof testMedia>[0] = {}) {
  const opened = await testMedia(world);
  const { content_uri } = await opened.media.upload(
    request(),
    alice,
    fileOf(image, "text/html", "evil.html"),
  );
  const at = partsOf(content_uri);
  const thumbnail = (more?: Partial<ThumbnailRequest>, { media }: TestMedia = opened) =>
    media.thumbnail(...at, asked(more));
  return { ...opened, opened, at, thumbnail };
}

describe("a thumbnail", () => {
  test("is drawn once for all sizes that come to the same, and kept for the next leader", async () => {
    const { opened, thumbnail, world } = await withImage(jpeg(2000, 1000));
    const first = await thumbnail({ width: 90, height: 90 });
    expect(first).toMatchObject({ type: "image/jpeg", name: "thumbnail.jpg" });
    const again = await Promise.all([
      thumbnail(),
      thumbnail({ width: 33, height: 33 }),
      thumbnail({ animated: true }),
    ]);
    const next = await opened.crash();
    for (const other of [...again, await thumbnail({}, next)]) {
      expect(other).toMatchObject({ type: "image/jpeg", etag: first.etag });
      expect(await other.blob.text()).toBe(await first.blob.text());
    }
    expect(world.draw).toHaveBeenCalledTimes(1);
    expect(vi.mocked(world.draw).mock.calls[0]!.slice(1)).toEqual([
      { width: 96, height: 96, method: "crop" },
      "image/jpeg",
    ]);
  });

  test("asked for by several at once is drawn once, one image after the other", async () => {
    let drawing = 0;
    let most = 0;
    const draw = vi.fn(async () => {
      drawing += 1;
      most = Math.max(most, drawing);
      await Promise.resolve();
      drawing -= 1;
      return new Blob(["drawn"], { type: "image/webp" });
    });
    const { thumbnail } = await withImage(png(900, 900), { draw });
    await Promise.all([thumbnail(), thumbnail(), thumbnail({ method: "scale" }), thumbnail({ width: 200 })]);
    expect([draw.mock.calls.length, most]).toEqual([3, 1]);
  });

  test.each([
    ["a small image", png(96, 50), {}],
    ["an image of which more is wanted than there are sizes for", jpeg(3000, 3000), { width: 2000 }],
    ["a moving image where that is wanted", gif(500, 500, 2), { animated: true }],
    ["a moving WebP where that is wanted", webpExtended(500, 500, true), { animated: true }],
  ])("of %s is the image, as what it is", async (_, image, more) => {
    const { thumbnail, world } = await withImage(image);
    const { blob, type, name } = await thumbnail(more);
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(image);
    expect(type).toMatch(/^image\/(png|jpeg|gif|webp)$/);
    expect(name).toMatch(/^thumbnail\.(png|jpg|gif|webp)$/);
    expect(world.draw).not.toHaveBeenCalled();
  });

  test.each([
    ["a moving image", gif(20, 20, 2), {}],
    ["a moving image of which only itself would be large enough", gif(20, 20, 2), { width: 5000 }],
    ["AVIF, which clients expect of no thumbnail", avif(20, 20), {}],
    ["AVIF that moves", avif(20, 20, "avis"), { animated: true }],
    ["an image that lies on its side", jpeg(50, 97), {}],
  ])("of %s is drawn", async (_, image, more) => {
    const { thumbnail, world } = await withImage(image);
    expect((await thumbnail(more)).type).toMatch(/^image\/(webp|jpeg)$/);
    expect(world.draw).toHaveBeenCalledTimes(1);
  });

  test("that stands still is not given to who wants it to move", async () => {
    const { thumbnail } = await withImage(gif(500, 500, 2));
    expect((await thumbnail()).type).toBe("image/webp");
    expect((await thumbnail({ animated: true })).type).toBe("image/gif");
  });

  test("of too many pixels is refused before anything is decoded", async () => {
    const { thumbnail, world } = await withImage(png(20_000, 20_000));
    expect(await refusal(thumbnail())).toEqual({ errcode: "M_TOO_LARGE", status: 413 });
    expect(world.draw).not.toHaveBeenCalled();
  });

  test("of another server's image of too many pixels is that server's fault", async () => {
    const { media } = await testMedia({ remote: async () => fileOf(png(20_000, 20_000)) });
    expect(await refusal(media.thumbnail("other.example", "a", asked()))).toEqual({
      errcode: "M_TOO_LARGE",
      status: 502,
    });
  });

  test.each<[string, Uint8Array<ArrayBuffer>]>([
    ["text", new TextEncoder().encode("<svg><script>alert(1)</script></svg>")],
    ["nothing", new Uint8Array()],
    ["a JPEG whose frame is nowhere near", jpeg(5, 5, ...Array<Uint8Array>(70).fill(padding(65_000)))],
  ])("of %s is refused", async (_, image) => {
    const { thumbnail } = await withImage(image);
    expect(await refusal(thumbnail())).toEqual({ errcode: "M_UNKNOWN", status: 400 });
  });

  test("of what the browser cannot decode is refused", async () => {
    const draw = () => Promise.reject(new DOMException("no", "InvalidStateError"));
    const { thumbnail } = await withImage(png(500, 500), { draw });
    expect(await refusal(thumbnail())).toEqual({ errcode: "M_UNKNOWN", status: 400 });
  });

  test("is found behind what cameras put first", async () => {
    const { thumbnail } = await withImage(jpeg(500, 500, ...Array<Uint8Array>(5).fill(padding(65_000))));
    expect((await thumbnail()).type).toBe("image/jpeg");
  });

  test("is kept with few others, and goes with its image", async () => {
    const { thumbnail, storage, mediaConsole, at, dropOrphans } = await withImage(png(1600, 1600));
    for (let height = 1; height < mostThumbnails + 5; height++) await thumbnail({ width: 96, height });
    expect((await dump(storage)).thumbnails).toHaveLength(mostThumbnails);
    await through(dropOrphans);
    expect((await dump(storage)).blobs).toHaveLength(mostThumbnails + 1);
    await mediaConsole.remove(...at);
    expect((await dump(storage)).thumbnails).toEqual([]);
    expect((await dump(storage)).blobs).toEqual([]);
  });

  test("of an image that is removed while it is drawn is not kept", async () => {
    let remove: () => Promise<void> = async () => undefined;
    const { thumbnail, storage, mediaConsole, at } = await withImage(png(500, 500), {
      draw: async () => {
        await remove();
        return new Blob(["drawn"], { type: "image/webp" });
      },
    });
    remove = () => mediaConsole.remove(...at);
    expect(await (await thumbnail()).blob.text()).toBe("drawn");
    const { thumbnails, blobs, media } = await dump(storage);
    expect([thumbnails, blobs, media]).toEqual([[], [], []]);
  });
});
