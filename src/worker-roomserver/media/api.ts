import type { JsonObject } from "../../matrix/json.ts";
import type { Requester, RequestId } from "../node/requester.ts";
import type { MediaLimits } from "./limits.ts";
import type { ThumbnailMethod } from "./thumbnail-size.ts";

/** Bytes as they are served: a handle on what lies on the disk, which costs nothing to hand on. */
export type MediaFile = {
  blob: Blob;
  /** A media type that can stand in a header. */
  type: string;
  /** The file's name, "" for none. */
  name: string;
  /** Names these bytes and no others. */
  etag: string;
};

export type DownloadOptions = {
  /** How long to wait for media that is still to be uploaded, in milliseconds; at most 20 seconds. */
  timeoutMs: number;
  /** Whether media of other servers may be fetched. */
  allowRemote: boolean;
};

export type ThumbnailRequest = DownloadOptions & {
  /** Pixels, 1 and up. */
  width: number;
  height: number;
  method: ThumbnailMethod;
  /** Whether it may move. */
  animated: boolean;
};

export type UploadedFile = {
  /** Its type is that of the blob. */
  blob: Blob;
  /** "" for none. */
  name: string;
};

/**
 * The content repository. Server names and media ids are checked here.
 * @see https://spec.matrix.org/v1.19/client-server-api/#content-repository
 */
export interface Media {
  /**
   * Keeps what a user uploads; once it resolves the bytes are on the disk. Writes the bytes and three rows.
   * @throws MatrixError M_TOO_LARGE 413; M_FORBIDDEN 403 when the user's or the server's quota is used up; M_UNKNOWN
   *   507 when the disk is full
   */
  upload(request: RequestId, requester: Requester, file: UploadedFile): Promise<{ content_uri: string }>;
  /**
   * An address for what will be uploaded later. @throws MatrixError M_LIMIT_EXCEEDED 429 for a user with too many
   */
  create(
    request: RequestId,
    requester: Requester,
  ): Promise<{ content_uri: string; unused_expires_at: number }>;
  /**
   * Uploads to such an address. @throws as `upload`; MatrixError M_NOT_FOUND 404 for one that there is not (any more);
   *   M_FORBIDDEN 403 for another user's; M_CANNOT_OVERWRITE_MEDIA 409
   */
  uploadTo(
    request: RequestId,
    requester: Requester,
    serverName: string,
    mediaId: string,
    file: UploadedFile,
  ): Promise<JsonObject>;
  config(): Promise<{ "m.upload.size": number }>;
  /**
   * Reads one row and a handle on the bytes.
   * @throws MatrixError M_NOT_FOUND 404; M_NOT_YET_UPLOADED 504
   */
  download(serverName: string, mediaId: string, options: DownloadOptions): Promise<MediaFile>;
  /**
   * An image of at least that size, or the original where it has no more than that. What is made is kept; images are
   * decoded one after the other, as each takes four bytes a pixel.
   * @throws as `download`; MatrixError M_UNKNOWN 400 for what is no image that can be shown smaller; M_TOO_LARGE 413
   *   (502 for another server's) for one with too many pixels to be decoded
   */
  thumbnail(serverName: string, mediaId: string, request: ThumbnailRequest): Promise<MediaFile>;
  /**
   * What a web page says of itself, as OpenGraph properties. One request to another server, and one more for an image,
   * unless it was asked lately.
   * @throws MatrixError M_INVALID_PARAM 400; M_FORBIDDEN 403 for addresses that are nobody's business; M_UNKNOWN 502
   *   for a page that cannot be had
   */
  preview(requester: Requester, url: string): Promise<JsonObject>;
}

export type MediaListing = {
  server_name: string;
  media_id: string;
  /** Absent for what the server has fetched itself. */
  user_id?: string;
  /** Milliseconds since 1970. */
  created_ts: number;
  /** Bytes; 0 for what is still to be uploaded. */
  size: number;
  content_type: string;
  upload_name?: string;
  /** When it goes by itself, in milliseconds since 1970. */
  expires_ts?: number;
  is_uploaded: boolean;
  is_quarantined: boolean;
  /** Nobody quarantines or removes it until that is taken back; what ends by itself does. */
  is_protected: boolean;
};

export type MediaTotals = {
  /** What users here have uploaded. */
  local_bytes: number;
  local_files: number;
  /** What the server has fetched itself. */
  fetched_bytes: number;
  fetched_files: number;
  limits: MediaLimits;
};

/** For the server's owner alone: who calls has to have seen to that. */
export interface MediaConsole {
  /**
   * The newest first, one range of an index. New media does not move pages. @param from - `next_batch` of the page before
   * @throws MatrixError M_INVALID_PARAM 400
   */
  list(options: {
    limit: number;
    userId?: string;
    from?: string;
  }): Promise<{ media: MediaListing[]; next_batch?: string }>;
  /** @throws MatrixError M_NOT_FOUND 404 */
  get(serverName: string, mediaId: string): Promise<MediaListing>;
  /** By user; "" for what the server has fetched itself. One row a user. */
  usage(): Promise<{ user_id: string; bytes: number; files: number }[]>;
  /** From memory, after one row a user. */
  usageOf(userId: string): Promise<{ bytes: number; files: number }>;
  totals(): Promise<MediaTotals>;
  /** For good, with its thumbnails. @throws MatrixError M_NOT_FOUND 404; M_FORBIDDEN 403 for what is protected */
  remove(serverName: string, mediaId: string): Promise<void>;
  /** Keeps it and shows it to nobody, or does again. @throws as `remove` */
  setQuarantined(serverName: string, mediaId: string, isQuarantined: boolean): Promise<void>;
  /** @throws MatrixError M_NOT_FOUND 404 */
  setProtected(serverName: string, mediaId: string, isProtected: boolean): Promise<void>;
  /**
   * Removes what has come here from other servers, but for what is protected or quarantined: it is fetched again when
   * somebody wants it. Goes through all media, 500 rows at a time; a unit for each file, so that a page that is closed
   * meanwhile leaves the rest.
   * @param before - what came here earlier; milliseconds since 1970
   * @returns how many files and bytes have gone
   */
  purgeRemote(before: number): Promise<{ files: number; bytes: number }>;
}
