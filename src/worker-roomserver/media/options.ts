import type { ServerName } from "../../matrix/identifiers.ts";
import type { Egress } from "../egress/api.ts";
import type { Answers } from "../node/answers.ts";
import type { Storage } from "../storage/api.ts";
import type { Media, MediaConsole } from "./api.ts";
import type { MediaLimits } from "./limits.ts";
import type { RemoteMedia } from "./remote/api.ts";
import type { DrawThumbnail } from "./thumbnails.ts";

export type MediaOptions = {
  storage: Storage;
  answers: Answers;
  serverName: ServerName;
  /** Milliseconds since 1970. */
  now: () => number;
  limits?: MediaLimits;
  remote?: RemoteMedia;
  /** For previews. */
  egress: Egress;
  draw?: DrawThumbnail;
};

export type OpenMedia = {
  media: Media;
  mediaConsole: MediaConsole;
  /** For the compactor. */
  dropExpired: () => AsyncGenerator<void>;
  dropOrphans: () => AsyncGenerator<void>;
};
