import type { ServerName } from "../../../matrix/identifiers.ts";
import type { UploadedFile } from "../api.ts";
import { noSuchMedia } from "../media-rows.ts";

/** Media of other servers, over federation. */
export interface RemoteMedia {
  /**
   * @param timeoutMs - how long the other server may wait for what is still to be uploaded there
   * @throws MatrixError M_NOT_FOUND 404; M_NOT_YET_UPLOADED 504; M_TOO_LARGE 502 for what has more bytes than that;
   *   M_UNKNOWN 502, 504 where the other server is not reached
   */
  fetch(
    serverName: ServerName,
    mediaId: string,
    options: { timeoutMs: number; maxBytes: number },
  ): Promise<UploadedFile>;
}

/** Where there are no other servers. */
export const noRemoteMedia: RemoteMedia = {
  fetch: async () => {
    throw noSuchMedia();
  },
};
