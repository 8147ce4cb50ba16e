import { vi } from "vitest";
import type { Egress } from "../../../src/worker-roomserver/egress/api.ts";
import type { UploadedFile } from "../../../src/worker-roomserver/media/api.ts";
import type { MediaLimits } from "../../../src/worker-roomserver/media/limits.ts";
import { defaultLimits } from "../../../src/worker-roomserver/media/limits.ts";
import { openMedia } from "../../../src/worker-roomserver/media/open.ts";
import type { OpenMedia } from "../../../src/worker-roomserver/media/options.ts";
import type { RemoteMedia } from "../../../src/worker-roomserver/media/remote/api.ts";
import type { DrawThumbnail } from "../../../src/worker-roomserver/media/thumbnails.ts";
import { Answers } from "../../../src/worker-roomserver/node/answers.ts";
import { type TestStorage, testStorage } from "./storage.ts";
import { serverName } from "./users.ts";

/** What lasts from one leader to the next. */
export type MediaWorld = {
  time: number;
  limits: MediaLimits;
  remote: RemoteMedia["fetch"];
  egress: Egress["fetch"];
  draw: DrawThumbnail;
};

export type TestMedia = OpenMedia & {
  storage: TestStorage;
  world: MediaWorld;
  /** Opens the database as the next leader, as when the tab dies at this moment. */
  crash: () => Promise<TestMedia>;
};

/** Media over a database of their own; time stands still, and nothing leads outside. */
export function testMedia(world: Partial<MediaWorld> = {}): Promise<TestMedia> {
  return opened({
    time: 1_700_000_000_000,
    limits: defaultLimits,
    remote: vi.fn(() => Promise.reject(new Error("no other server was expected to be asked"))),
    egress: vi.fn(() => Promise.reject(new Error("nothing was expected to be fetched"))),
    draw: vi.fn(async (image, box, type) => new Blob([`${image.size} as ${JSON.stringify(box)}`], { type })),
    ...world,
  });
}

async function opened(world: MediaWorld, name?: string): Promise<TestMedia> {
  const storage = await testStorage(name);
  const now = () => world.time;
  const media = openMedia({
    storage,
    answers: await Answers.open(storage, now),
    serverName,
    now,
    limits: world.limits,
    remote: { fetch: (...asked) => world.remote(...asked) },
    egress: { fetch: (...asked) => world.egress(...asked) },
    draw: (...asked) => world.draw(...asked),
  });
  return { ...media, storage, world, crash: () => opened(world, storage.name) };
}

export const fileOf = (content: BlobPart, type = "text/plain", name = ""): UploadedFile & { blob: Blob } => ({
  blob: new Blob([content], { type }),
  name,
});

/** The parts of an `mxc://` URI. */
export function partsOf(uri: string): [serverName: string, mediaId: string] {
  const match = /^mxc:\/\/([^/]+)\/([A-Za-z0-9_-]+)$/.exec(uri);
  if (match === null) throw new Error(`${uri} is no mxc:// URI`);
  return [match[1]!, match[2]!];
}

/** Runs one of the compactor's removals to its end. */
export async function through(removal: () => AsyncGenerator<void>): Promise<void> {
  for await (const _ of removal());
}

/** Waits for nothing, and asks nobody. */
export const atOnce = { timeoutMs: 0, allowRemote: false };
