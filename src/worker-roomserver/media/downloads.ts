import { MatrixError } from "../../matrix/errors.ts";
import { parseServerName } from "../../matrix/identifiers.ts";
import type { DownloadOptions, MediaFile } from "./api.ts";
import type { Blobs } from "./blobs.ts";
import { fetchedMs, longestWaitMs, type MediaLimits } from "./limits.ts";
import { isStored, type MediaKey, type MediaRows, noSuchMedia, type StoredMedia } from "./media-rows.ts";
import type { RemoteMedia } from "./remote/api.ts";
import type { Uploads } from "./uploads.ts";
import type { Waiting } from "./waiting.ts";

export type DownloadsOptions = {
  rows: MediaRows;
  blobs: Blobs;
  uploads: Uploads;
  remote: RemoteMedia;
  waiting: Waiting;
  now: () => number;
  limits: MediaLimits;
};

/** Finds the bytes of media, here or elsewhere. */
export class Downloads {
  readonly #with: DownloadsOptions;

  constructor(options: DownloadsOptions) {
    this.#with = options;
  }

  /** @throws MatrixError M_NOT_FOUND 404; M_NOT_YET_UPLOADED 504; what a fetch fails with */
  async find(key: MediaKey, options: DownloadOptions): Promise<StoredMedia> {
    const row = key[0] === "" ? await this.#local(key, options) : await this.#remote(key, options);
    if (row.quarantined === 1) throw noSuchMedia();
    return row;
  }

  async file(row: StoredMedia): Promise<MediaFile> {
    const blob = await this.#with.blobs.get(row.blob);
    if (blob === undefined) throw noSuchMedia(); // removed since the row was read
    return { blob, type: row.type, name: row.name, etag: row.blob };
  }

  async #local(key: MediaKey, { timeoutMs }: DownloadOptions): Promise<StoredMedia> {
    const { rows, waiting, now } = this.#with;
    const found = await waiting.for(key[1], Math.min(timeoutMs, longestWaitMs), async () => {
      const row = await rows.existing(key);
      if (isStored(row)) return row;
      if (row.until !== undefined && row.until <= now()) throw noSuchMedia();
      return undefined;
    });
    if (found !== undefined) return found;
    throw new MatrixError("M_NOT_YET_UPLOADED", 504, "This media has not been uploaded yet.");
  }

  /** One request to the other server, for all who ask at once. */
  #remote(key: MediaKey, { timeoutMs, allowRemote }: DownloadOptions): Promise<StoredMedia> {
    const { rows, remote, uploads, limits, now } = this.#with;
    return rows.alone(key, async () => {
      const row = await rows.get(key);
      if (row !== undefined && isStored(row)) return row;
      if (!allowRemote) throw noSuchMedia();
      const [origin, id] = key;
      const options = { timeoutMs: Math.min(timeoutMs, longestWaitMs), maxBytes: limits.uploadBytes };
      const file = await remote.fetch(parseServerName(origin), id, options);
      return uploads.keepFetched({ origin, id, until: now() + fetchedMs }, file);
    });
  }
}
