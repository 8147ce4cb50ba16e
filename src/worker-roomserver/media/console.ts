import { forbidden, invalidParam } from "../../matrix/errors.ts";
import type { Storage } from "../storage/api.ts";
import type { MediaRow } from "../storage/schema.ts";
import type { MediaConsole, MediaListing, MediaTotals } from "./api.ts";
import type { MediaLimits } from "./limits.ts";
import { isStored, type MediaKey, type MediaRows } from "./media-rows.ts";
import type { Removals } from "./removals.ts";
import type { MediaUsage } from "./usage.ts";

const mostListed = 500;

export type StoredMediaConsoleOptions = {
  storage: Storage;
  rows: MediaRows;
  usage: MediaUsage;
  removals: Removals;
  limits: MediaLimits;
};

/** What the owner of the server does with its media. */
export class StoredMediaConsole implements MediaConsole {
  readonly #with: StoredMediaConsoleOptions;

  constructor(options: StoredMediaConsoleOptions) {
    this.#with = options;
  }

  async list(options: {
    limit: number;
    userId?: string;
    from?: string;
  }): Promise<{ media: MediaListing[]; next_batch?: string }> {
    const { storage } = this.#with;
    const limit = Math.min(Math.max(1, options.limit), mostListed);
    const after = options.from === undefined ? [] : parsePlace(options.from);
    const range = (first: IDBValidKey[]) =>
      IDBKeyRange.bound([...first, ...after], [...first, []], after.length > 0, false);
    const rows =
      options.userId === undefined
        ? await storage.fromIndex("media", "newest", range([]), limit)
        : await storage.fromIndex("media", "user", range([options.userId]), limit);
    const last = rows.at(-1);
    return {
      media: rows.map((row) => this.#listing(row)),
      ...(last !== undefined && rows.length === limit && { next_batch: placeOf(last) }),
    };
  }

  async get(serverName: string, mediaId: string): Promise<MediaListing> {
    const { rows } = this.#with;
    return this.#listing(await rows.existing(rows.keyOf(serverName, mediaId)));
  }

  usage(): Promise<{ user_id: string; bytes: number; files: number }[]> {
    return this.#with.usage.list();
  }

  async remove(serverName: string, mediaId: string): Promise<void> {
    const key = this.#with.rows.keyOf(serverName, mediaId);
    await this.#with.rows.alone(key, async () => {
      const row = await this.#with.rows.existing(key);
      requireUnprotected(row);
      await this.#with.removals.remove(row);
    });
  }

  async setQuarantined(serverName: string, mediaId: string, isQuarantined: boolean): Promise<void> {
    const { rows, storage } = this.#with;
    const key = rows.keyOf(serverName, mediaId);
    await rows.alone(key, async () => {
      const { quarantined: _, ...row } = await rows.existing(key);
      if (isQuarantined) requireUnprotected(row);
      await storage.commit((write) => write.put("media", isQuarantined ? { ...row, quarantined: 1 } : row));
    });
  }

  async setProtected(serverName: string, mediaId: string, isProtected: boolean): Promise<void> {
    const { rows, storage } = this.#with;
    const key = rows.keyOf(serverName, mediaId);
    await rows.alone(key, async () => {
      const { protected: _, ...row } = await rows.existing(key);
      await storage.commit((write) => write.put("media", isProtected ? { ...row, protected: 1 } : row));
    });
  }

  async usageOf(userId: string): Promise<{ bytes: number; files: number }> {
    const used = (await this.usage()).find(({ user_id }) => user_id === userId);
    return { bytes: used?.bytes ?? 0, files: used?.files ?? 0 };
  }

  async totals(): Promise<MediaTotals> {
    const totals = { local_bytes: 0, local_files: 0, fetched_bytes: 0, fetched_files: 0 };
    for (const { user_id, bytes, files } of await this.usage()) {
      const kind = user_id === "" ? "fetched" : "local";
      totals[`${kind}_bytes`] += bytes;
      totals[`${kind}_files`] += files;
    }
    return { ...totals, limits: this.#with.limits };
  }

  async purgeRemote(before: number): Promise<{ files: number; bytes: number }> {
    const { storage, rows, removals } = this.#with;
    const gone = { files: 0, bytes: 0 };
    // The newest come first: those that are too new are not even read.
    let after: IDBValidKey[] = [-before, []];
    for (;;) {
      const page = await storage.fromIndex(
        "media",
        "newest",
        IDBKeyRange.lowerBound(after, true),
        mostListed,
      );
      for (const { origin, id } of page) {
        if (origin === "") continue;
        await rows.alone([origin, id], async () => {
          const row = await rows.get([origin, id]);
          if (row === undefined || row.protected === 1 || row.quarantined === 1) return;
          await removals.remove(row);
          gone.files += 1;
          gone.bytes += row.size;
        });
      }
      const last = page.at(-1);
      if (last === undefined || page.length < mostListed) return gone;
      after = [last.order, last.origin, last.id];
    }
  }

  #listing(row: MediaRow): MediaListing {
    return {
      server_name: this.#with.rows.serverOf(row),
      media_id: row.id,
      ...(row.user !== "" && { user_id: row.user }),
      created_ts: -row.order,
      size: row.size,
      content_type: row.type,
      ...(row.name !== "" && { upload_name: row.name }),
      ...(row.until !== undefined && { expires_ts: row.until }),
      is_uploaded: isStored(row),
      is_quarantined: row.quarantined === 1,
      is_protected: row.protected === 1,
    };
  }
}

function requireUnprotected(row: MediaRow): void {
  if (row.protected === 1) throw forbidden("This media is protected: that has to be taken back first.");
}

type Place = [order: number, ...MediaKey];

/** What has come later is listed before it, and moves nothing. */
const placeOf = ({ order, origin, id }: MediaRow) => `${order} ${origin} ${id}`;

function parsePlace(token: string): Place {
  const match = /^(-?\d{1,16}) (\S*) (\S+)$/.exec(token);
  if (match === null) throw invalidParam('"from" is not a token that this server has given out.');
  return [Number(match[1]), match[2]!, match[3]!];
}
