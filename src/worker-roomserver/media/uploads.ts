import { forbidden, MatrixError, notFound, tooLarge } from "../../matrix/errors.ts";
import type { ServerName } from "../../matrix/identifiers.ts";
import type { JsonObject } from "../../matrix/json.ts";
import { mediaTypeOr } from "../../matrix/media-type.ts";
import { mxcUri } from "../../matrix/mxc.ts";
import type { Answers } from "../node/answers.ts";
import { KeyedLock } from "../node/keyed-lock.ts";
import type { Requester, RequestId } from "../node/requester.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { MediaRow } from "../storage/schema.ts";
import type { UploadedFile } from "./api.ts";
import type { Blobs } from "./blobs.ts";
import { longestName, type MediaLimits, mostPending, pendingMs } from "./limits.ts";
import { isStored, type MediaRows, randomId, type StoredMedia } from "./media-rows.ts";
import type { MediaUsage } from "./usage.ts";

export type UploadsOptions = {
  storage: Storage;
  answers: Answers;
  serverName: ServerName;
  now: () => number;
  limits: MediaLimits;
  rows: MediaRows;
  blobs: Blobs;
  usage: MediaUsage;
  /** Called when bytes have come, with the media's id. */
  onUploaded: (mediaId: string) => void;
};

/** Takes in media: what users upload at once or later, and what the server has fetched. */
export class Uploads {
  readonly #with: UploadsOptions;
  /** What a user has pending is counted and added to by one request after the other. */
  readonly #ofUser = new KeyedLock<string>();

  constructor(options: UploadsOptions) {
    this.#with = options;
  }

  upload(request: RequestId, { userId }: Requester, file: UploadedFile): Promise<{ content_uri: string }> {
    return this.#with.answers.once(request, async (record) => {
      this.#checkSize(file.blob);
      const id = randomId();
      const answer = { content_uri: this.#uri(id) };
      await this.#store({ ...this.#newRow("", id, userId), ...described(file) }, file.blob, (write) =>
        record(write, answer),
      );
      return answer;
    });
  }

  create(
    request: RequestId,
    { userId }: Requester,
  ): Promise<{ content_uri: string; unused_expires_at: number }> {
    const { answers, storage, now } = this.#with;
    return answers.once(request, (record) =>
      this.#ofUser.run(userId, async () => {
        await this.#checkPending(userId);
        const id = randomId();
        const until = now() + pendingMs;
        return storage.commit((write) => {
          write.put("media", { ...this.#newRow("", id, userId), until, pending: userId });
          return record(write, { content_uri: this.#uri(id), unused_expires_at: until });
        });
      }),
    );
  }

  uploadTo(
    request: RequestId,
    { userId }: Requester,
    address: [serverName: string, mediaId: string],
    file: UploadedFile,
  ): Promise<JsonObject> {
    const { answers, rows, now, onUploaded } = this.#with;
    return answers.once<JsonObject>(request, async (record) => {
      const [origin, id] = rows.keyOf(...address);
      if (origin !== "") throw forbidden("Media of other servers is not uploaded here.");
      // Of two uploads to one address the second finds what the first has done.
      return rows.alone([origin, id], async () => {
        const row = await rows.get([origin, id]);
        if (row === undefined) throw notFound("This media ID was not created here, or it has expired.");
        if (row.user !== userId) throw forbidden("Another user has created this media ID.");
        if (isStored(row)) {
          throw new MatrixError("M_CANNOT_OVERWRITE_MEDIA", 409, "This media has already been uploaded.");
        }
        if (row.until !== undefined && row.until <= now()) throw notFound("This media ID has expired.");
        this.#checkSize(file.blob);
        const { until: _until, pending: _pending, ...kept } = row;
        await this.#store({ ...kept, ...described(file) }, file.blob, (write) => record(write, {}));
        onUploaded(id);
        return {};
      });
    });
  }

  /** Keeps what the server has fetched until it may be fetched again. @throws MatrixError M_FORBIDDEN 403 for want of room */
  keepFetched(key: { origin: string; id: string; until: number }, file: UploadedFile): Promise<StoredMedia> {
    const row = { ...this.#newRow(key.origin, key.id, ""), until: key.until, ...described(file) };
    return this.#store(row, file.blob, () => undefined);
  }

  /** Writes the bytes, then the row and what else is to go with it. */
  async #store(row: MediaRow, blob: Blob, also: (write: Write) => void): Promise<StoredMedia> {
    const { usage, blobs, storage } = this.#with;
    return usage.hold(row.user, row.size, () =>
      blobs.put(blob, async (key) => {
        const stored = { ...row, blob: key };
        const { basis, put } = await usage.added(stored);
        await storage.commit(
          (write) => {
            write.put("media", stored);
            put(write);
            also(write);
          },
          { basis },
        );
        return stored;
      }),
    );
  }

  #newRow(origin: string, id: string, user: string): MediaRow {
    return { origin, id, user, order: -this.#with.now(), size: 0, type: "", name: "" };
  }

  #uri(mediaId: string): string {
    return mxcUri({ serverName: this.#with.serverName, mediaId });
  }

  #checkSize({ size }: Blob): void {
    const { uploadBytes } = this.#with.limits;
    if (size > uploadBytes) throw tooLarge(`The file has ${size} bytes; at most ${uploadBytes} are taken.`);
  }

  /** @throws MatrixError M_LIMIT_EXCEEDED 429 */
  async #checkPending(userId: string): Promise<void> {
    const { storage, now } = this.#with;
    const rows = await storage.fromIndex("media", "pending", IDBKeyRange.only(userId));
    const ends = rows.map(({ until }) => until ?? 0).filter((until) => until > now());
    if (ends.length < mostPending) return;
    throw new MatrixError(
      "M_LIMIT_EXCEEDED",
      429,
      `You have created ${ends.length} media IDs and uploaded nothing to them yet.`,
      { retry_after_ms: Math.min(...ends) - now() },
    );
  }
}

/** A blob knows the type that it was sent with. */
const described = ({ blob, name }: UploadedFile) => ({
  size: blob.size,
  type: mediaTypeOr(blob.type),
  name: name.slice(0, longestName),
});
