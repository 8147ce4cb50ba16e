/** Numbers that an owner may set. */
export type MediaLimits = {
  /** Bytes of one upload. */
  uploadBytes: number;
  /** What one user may have here. */
  userBytes: number;
  userFiles: number;
  /** What the server fetches for itself: of other servers, and for previews. */
  fetchedBytes: number;
  /** All of it together. */
  totalBytes: number;
};

const MiB = 1024 ** 2;

/** Browsers give an origin some gigabytes, often 10 and more; rooms have to fit in there too. */
export const defaultLimits: MediaLimits = {
  uploadBytes: 100 * MiB,
  userBytes: 2048 * MiB,
  userFiles: 20_000,
  fetchedBytes: 512 * MiB,
  totalBytes: 6144 * MiB,
};

/** Addresses that a user may have created and not yet used. */
export const mostPending = 20;
/** How long one of them can be used. The spec recommends 24 hours. */
export const pendingMs = 24 * 60 * 60_000;
/** The longest that a download waits for what is still to be uploaded: less than a service worker may take. */
export const longestWaitMs = 20_000;
/** How long what other servers have is kept after it was fetched. */
export const fetchedMs = 30 * 24 * 60 * 60_000;
/** Bytes of UTF-16 units that a file's name may have: what is longer is cut. */
export const longestName = 255;

/** Pixels of an image that is decoded, which takes four bytes each. Telephones make pictures of 50 million. */
export const mostPixels = 60_000_000;
/** How much of a file is read for its header: cameras put previews and profiles before what matters. */
export const headerBytes = 64 * 1024;
export const mostHeaderBytes = 2 * MiB;
/** Thumbnails of one image that are kept. */
export const mostThumbnails = 12;
