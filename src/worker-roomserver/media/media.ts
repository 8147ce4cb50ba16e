import { later, once } from "../node/later.ts";
import type { Media } from "./api.ts";
import { Blobs } from "./blobs.ts";
import { StoredMediaConsole } from "./console.ts";
import { Downloads } from "./downloads.ts";
import { defaultLimits } from "./limits.ts";
import { MediaRows } from "./media-rows.ts";
import type { MediaOptions, OpenMedia } from "./options.ts";
import { noRemoteMedia } from "./remote/api.ts";
import { Removals } from "./removals.ts";
import { type DrawThumbnail, Thumbnails } from "./thumbnails.ts";
import { Uploads } from "./uploads.ts";
import { MediaUsage } from "./usage.ts";
import { Waiting } from "./waiting.ts";

/** How long a preview is as good as a new one. */
const previewFreshMs = 60 * 60_000;

const canvas = later(() => import("./canvas.ts"));
const drawOnCanvas: DrawThumbnail = async (...what) => (await canvas()).drawThumbnail(...what);
const previewing = later(() => import("./preview/url-previews.ts"));

/** Puts the component together. Each part says what it does; what they share is made here. */
export function makeMedia(options: MediaOptions): OpenMedia {
  const { storage, serverName } = options;
  const waiting = new Waiting();
  const limits = options.limits ?? defaultLimits;
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

  const previews = once(async () => {
    const { UrlPreviews } = await previewing();
    return new UrlPreviews({ ...shared, uploads, ownOrigin: globalThis.location?.origin });
  });

  const media: Media = {
    upload: (request, requester, file) => uploads.upload(request, requester, file),
    create: (request, requester) => uploads.create(request, requester),
    uploadTo: (request, requester, server, mediaId, file) =>
      uploads.uploadTo(request, requester, [server, mediaId], file),
    config: async () => ({ "m.upload.size": limits.uploadBytes }),
    download: async (server, mediaId, asked) =>
      downloads.file(await downloads.find(rows.keyOf(server, mediaId), asked)),
    thumbnail: async (server, mediaId, asked) => thumbnails.get(rows.keyOf(server, mediaId), asked),
    preview: async (_, url) => (await previews()).preview(url, previewFreshMs),
  };
  return {
    media,
    mediaConsole: new StoredMediaConsole({ ...shared, removals }),
    dropExpired: () => removals.dropExpired(),
    dropOrphans: () => blobs.dropOrphans(),
  };
}
