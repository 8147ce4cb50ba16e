import { MatrixError, unknown } from "../../matrix/errors.ts";
import { KeyedLock } from "../node/keyed-lock.ts";
import type { Storage } from "../storage/api.ts";
import type { ThumbnailRow } from "../storage/schema.ts";
import type { MediaFile, ThumbnailRequest } from "./api.ts";
import type { Blobs } from "./blobs.ts";
import type { Downloads } from "./downloads.ts";
import type { ImageHeader } from "./image-header/format.ts";
import { readImageHeader } from "./image-header/image-header.ts";
import { headerBytes, mostHeaderBytes, mostPixels, mostThumbnails } from "./limits.ts";
import { type MediaKey, type MediaRows, type StoredMedia, thumbnailsOf } from "./media-rows.ts";
import { boxFor, fitInto, type ThumbnailBox } from "./thumbnail-size.ts";

/** As canvas.ts has it: what draws is loaded when it is first needed, and Node has no canvas. */
export type DrawThumbnail = (
  image: Blob,
  box: ThumbnailBox | undefined,
  type: "image/jpeg" | "image/webp",
) => Promise<Blob>;

export type ThumbnailsOptions = {
  storage: Storage;
  rows: MediaRows;
  blobs: Blobs;
  downloads: Downloads;
  draw: DrawThumbnail;
};

/** Smaller images, made when they are asked for. */
export class Thumbnails {
  readonly #with: ThumbnailsOptions;
  /** A decoded image takes much memory: there is one at a time. */
  readonly #decoding = new KeyedLock<"">();

  constructor(options: ThumbnailsOptions) {
    this.#with = options;
  }

  async get(key: MediaKey, request: ThumbnailRequest): Promise<MediaFile> {
    const { downloads } = this.#with;
    const row = await downloads.find(key, request);
    const box = boxFor(request);
    const known = await this.#kept(key, box, request.animated);
    if (known !== undefined) return known;
    const original = await downloads.file(row);
    const header = await headerOf(original.blob);
    if (header === undefined) throw noThumbnail();
    if (isServedWhole(header, box, request.animated)) {
      return { ...original, type: header.type, name: nameOf(header.type) };
    }
    checkPixels(header, row);
    return this.#decoding.run("", async () => {
      const meanwhile = await this.#kept(key, box, false);
      return meanwhile ?? this.#make(row, original.blob, header, box);
    });
  }

  async #kept(
    key: MediaKey,
    box: ThumbnailBox | undefined,
    animated: boolean,
  ): Promise<MediaFile | undefined> {
    const { storage, blobs } = this.#with;
    const row = await storage.get("thumbnails", [...key, variantOf(box)]);
    if (row === undefined || (animated && row.still === 1)) return undefined;
    const blob = await blobs.get(row.blob);
    return blob && { blob, type: row.type, name: nameOf(row.type), etag: row.blob };
  }

  async #make(
    row: StoredMedia,
    image: Blob,
    header: ImageHeader,
    box: ThumbnailBox | undefined,
  ): Promise<MediaFile> {
    const drawn = await this.#draw(image, header, box);
    const kept = { type: drawn.type, ...(header.isAnimated && { still: 1 as const }) };
    const etag = await this.#keep([row.origin, row.id], variantOf(box), drawn, kept);
    const { type } = drawn;
    return { blob: drawn, type, name: nameOf(type), etag: etag ?? `${row.blob}-${variantOf(box)}` };
  }

  async #draw(image: Blob, header: ImageHeader, box: ThumbnailBox | undefined): Promise<Blob> {
    try {
      return await this.#with.draw(image, box, header.type === "image/jpeg" ? "image/jpeg" : "image/webp");
    } catch (error) {
      // What the browser cannot decode, whatever its header says.
      if (error instanceof DOMException) throw noThumbnail();
      throw error;
    }
  }

  /**
   * Not kept where there are many already, or where the image has been removed meanwhile: it is made again when it
   * is asked for again.
   */
  #keep(
    key: MediaKey,
    variant: string,
    drawn: Blob,
    kept: Omit<ThumbnailRow, "blob">,
  ): Promise<string | undefined> {
    const { storage, rows, blobs } = this.#with;
    return rows.alone(key, async () => {
      const [row, others] = await Promise.all([
        rows.get(key),
        storage.getAllKeys("thumbnails", thumbnailsOf(key), mostThumbnails),
      ]);
      if (row === undefined || others.length === mostThumbnails) return undefined;
      return blobs.put(drawn, async (blob) => {
        await storage.commit((write) => write.put("thumbnails", { ...kept, blob }, [...key, variant]));
        return blob;
      });
    });
  }
}

async function headerOf(image: Blob): Promise<ImageHeader | undefined> {
  for (let length = headerBytes; length <= mostHeaderBytes; length *= 8) {
    const bytes = new Uint8Array(await image.slice(0, length).arrayBuffer());
    const header = readImageHeader(bytes, image.size > length);
    if (header !== "more") return header;
  }
  return undefined;
}

/** Whether a thumbnail would be the image itself. AVIF is nothing that clients expect of a thumbnail. */
function isServedWhole(header: ImageHeader, box: ThumbnailBox | undefined, animated: boolean): boolean {
  if (header.type === "image/avif") return false;
  if (header.isAnimated) return animated;
  return box === undefined || fitInto(header, box) === undefined;
}

function checkPixels({ width, height }: ImageHeader, { origin }: StoredMedia): void {
  if (width * height <= mostPixels) return;
  const why = `The image has ${width} x ${height} pixels, which are too many for a thumbnail.`;
  throw new MatrixError("M_TOO_LARGE", origin === "" ? 413 : 502, why);
}

const variantOf = (box: ThumbnailBox | undefined) =>
  box === undefined ? "whole" : `${box.width}x${box.height}-${box.method}`;

const nameOf = (type: string) => `thumbnail.${type === "image/jpeg" ? "jpg" : type.replace("image/", "")}`;

const noThumbnail = () => unknown("There can be no thumbnail of this media.", 400);
