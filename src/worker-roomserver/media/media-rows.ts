import { encodeBase64Url } from "../../matrix/base64.ts";
import { notFound } from "../../matrix/errors.ts";
import { type MediaAddress, parseMediaAddress } from "../../matrix/mxc.ts";
import { KeyedLock } from "../node/keyed-lock.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { MediaRow } from "../storage/schema.ts";

export type MediaKey = [origin: string, id: string];

/** Media whose bytes are here. */
export type StoredMedia = MediaRow & { blob: string };

/** 144 random bits: who knows a media id has been told it. Also of keys of blobs. */
export const randomId = () => encodeBase64Url(crypto.getRandomValues(new Uint8Array(18)));

export const isStored = (row: MediaRow): row is StoredMedia => row.blob !== undefined;

/** The rows of `media`, by the addresses that clients have. */
export class MediaRows {
  readonly #storage: Storage;
  readonly #serverName: string;
  readonly #lock = new KeyedLock<string>();

  constructor(storage: Storage, serverName: string) {
    this.#storage = storage;
    this.#serverName = serverName;
  }

  /** @throws MatrixError M_INVALID_PARAM 400 */
  keyOf(serverName: string, mediaId: string): MediaKey {
    const address = parseMediaAddress(serverName, mediaId);
    return [this.isLocal(address) ? "" : address.serverName, mediaId];
  }

  isLocal({ serverName }: MediaAddress): boolean {
    return serverName === this.#serverName;
  }

  serverOf({ origin }: MediaRow): string {
    return origin === "" ? this.#serverName : origin;
  }

  get(key: MediaKey): Promise<MediaRow | undefined> {
    return this.#storage.get("media", key);
  }

  /** @throws MatrixError M_NOT_FOUND 404 */
  async existing(key: MediaKey): Promise<MediaRow> {
    const row = await this.get(key);
    if (row === undefined) throw noSuchMedia();
    return row;
  }

  /** Runs what reads a row and then writes it, or what belongs to it. */
  alone<T>(key: MediaKey, task: () => Promise<T>): Promise<T> {
    return this.#lock.run(key.join("/"), task);
  }

  /**
   * Reads what goes with a piece of media. @returns removes all of it, bytes included
   */
  async removal({ origin, id, blob }: MediaRow): Promise<(write: Write) => void> {
    const range = thumbnailsOf([origin, id]);
    const thumbnails = await this.#storage.getAll("thumbnails", range);
    return (write) => {
      write.delete("media", [origin, id]);
      write.delete("thumbnails", range);
      for (const thumbnail of thumbnails) write.delete("blobs", thumbnail.blob);
      if (blob !== undefined) write.delete("blobs", blob);
    };
  }
}

/** An array sorts after any string. */
export const thumbnailsOf = ([origin, id]: MediaKey) => IDBKeyRange.bound([origin, id], [origin, id, []]);

export const noSuchMedia = () => notFound("There is no such media on this homeserver.");
