import type { ServerName } from "../../matrix/identifiers.ts";
import type { Answers } from "../node/answers.ts";
import type { Storage } from "../storage/api.ts";
import type { Media, MediaConsole } from "./api.ts";
import { Blobs } from "./blobs.ts";
import { StoredMediaConsole } from "./console.ts";
import { Downloads } from "./downloads.ts";
import { defaultLimits, type MediaLimits } from "./limits.ts";
import { MediaRows } from "./media-rows.ts";
import { directEgress, type Egress } from "./preview/egress.ts";
import type { UrlPreviews } from "./preview/url-previews.ts";
import { noRemoteMedia, type RemoteMedia } from "./remote-media.ts";
import { Removals } from "./removals.ts";
import { type DrawThumbnail, Thumbnails } from "./thumbnails.ts";
import { Uploads } from "./uploads.ts";
import { MediaUsage } from "./usage.ts";
import { Waiting } from "./waiting.ts";

/** How long a preview is as good as a new one. */
const previewFreshMs = 60 * 60_000;

export type MediaOptions = {
  storage: Storage;
  answers: Answers;
  serverName: ServerName;
  /** Milliseconds since 1970. */
  now: () => number;
  limits?: MediaLimits;
  remote?: RemoteMedia;
  egress?: Egress;
  draw?: DrawThumbnail;
};

export type OpenMedia = {
  media: Media;
  mediaConsole: MediaConsole;
  /** For the compactor. */
  dropExpired: () => AsyncGenerator<void>;
  dropOrphans: () => AsyncGenerator<void>;
};

const drawOnCanvas: DrawThumbnail = async (...what) => (await import("./canvas.ts")).drawThumbnail(...what);

/** Puts the component together. Each part says what it does; what they share is made here. */
export function openMedia(options: MediaOptions): OpenMedia {
  const { storage, serverName } = options;
  const waiting = new Waiting();
  const limits = options.limits ?? defaultLimits;
  const egress = options.egress ?? directEgress;
  const shared = {
    ...options,
    limits,
    waiting,
    rows: new MediaRows(storage, serverName),
    blobs: new Blobs(storage),
    usage: new MediaUsage(storage, limits),
    remote: options.remote ?? noRemoteMedia,
    draw: options.draw ?? drawOnCanvas,
  };
  const { rows, blobs } = shared;
  const uploads = new Uploads({ ...shared, onUploaded: (mediaId) => waiting.wake(mediaId) });
  const downloads = new Downloads({ ...shared, uploads });
  const thumbnails = new Thumbnails({ ...shared, downloads });
  const removals = new Removals(shared);

  let previews: Promise<UrlPreviews> | undefined;
  const openPreviews = async () => {
    const { UrlPreviews } = await import("./preview/url-previews.ts");
    return new UrlPreviews({ ...shared, egress, uploads, ownOrigin: globalThis.location?.origin });
  };
  const withPreviews = () => {
    previews ??= openPreviews().catch((error: unknown) => {
      previews = undefined; // its script could not be loaded, and may be the next time
      throw error;
    });
    return previews;
  };

  const media: Media = {
    upload: (request, requester, file) => uploads.upload(request, requester, file),
    create: (request, requester) => uploads.create(request, requester),
    uploadTo: (request, requester, server, mediaId, file) =>
      uploads.uploadTo(request, requester, [server, mediaId], file),
    config: async () => ({ "m.upload.size": limits.uploadBytes }),
    download: async (server, mediaId, asked) =>
      downloads.file(await downloads.find(rows.keyOf(server, mediaId), asked)),
    thumbnail: async (server, mediaId, asked) => thumbnails.get(rows.keyOf(server, mediaId), asked),
    preview: async (_, url) => (await withPreviews()).preview(url, previewFreshMs),
  };
  return {
    media,
    mediaConsole: new StoredMediaConsole({ ...shared, removals }),
    dropExpired: () => removals.dropExpired(),
    dropOrphans: () => blobs.dropOrphans(),
  };
}
