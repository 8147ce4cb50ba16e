import { invalidParam } from "../../matrix/errors.ts";
import type { Storage } from "../storage/api.ts";
import type { MediaRow } from "../storage/schema.ts";
import type { MediaConsole, MediaListing } from "./api.ts";
import { isStored, type MediaKey, type MediaRows } from "./media-rows.ts";
import type { Removals } from "./removals.ts";
import type { MediaUsage } from "./usage.ts";

const mostListed = 500;

export type StoredMediaConsoleOptions = {
  storage: Storage;
  rows: MediaRows;
  usage: MediaUsage;
  removals: Removals;
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

  usage(): Promise<{ user_id: string; bytes: number; files: number }[]> {
    return this.#with.usage.list();
  }

  async remove(serverName: string, mediaId: string): Promise<void> {
    const key = this.#with.rows.keyOf(serverName, mediaId);
    await this.#with.rows.alone(key, async () => {
      await this.#with.removals.remove(await this.#with.rows.existing(key));
    });
  }

  async setQuarantined(serverName: string, mediaId: string, isQuarantined: boolean): Promise<void> {
    const { rows, storage } = this.#with;
    const key = rows.keyOf(serverName, mediaId);
    await rows.alone(key, async () => {
      const { quarantined: _, ...row } = await rows.existing(key);
      await storage.commit((write) => write.put("media", isQuarantined ? { ...row, quarantined: 1 } : row));
    });
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
    };
  }
}

type Place = [order: number, ...MediaKey];

/** What has come later is listed before it, and moves nothing. */
const placeOf = ({ order, origin, id }: MediaRow) => `${order} ${origin} ${id}`;

function parsePlace(token: string): Place {
  const match = /^(-?\d{1,16}) (\S*) (\S+)$/.exec(token);
  if (match === null) throw invalidParam('"from" is not a token that this server has given out.');
  return [Number(match[1]), match[2]!, match[3]!];
}
