import { later, once } from "../node/later.ts";
import type { JsonBytes, Requester } from "../node/requester.ts";
import type { SyncPoint } from "../node/tokens.ts";
import type { Position } from "../storage/schema.ts";
import { type Answer, buildAnswer, toBytes } from "./answer.ts";
import type { Sync, SyncQuery } from "./api.ts";
import { type DeviceLists, deviceLists } from "./device-lists.ts";
import { type End, Ends } from "./ends.ts";
import { FilterSource } from "./filter-source.ts";
import { Notifier } from "./notifier.ts";
import { newestPosition, type Readers } from "./readers.ts";
import type { SyncRequest } from "./request.ts";
import { serialiser } from "./serialiser.ts";
import type { SlidingSyncQuery } from "./sliding/api.ts";
import type { SlidingSyncServer } from "./sliding/sliding-sync.ts";
import { parseSince } from "./span.ts";

const slidingSync = later(() => import("./sliding/sliding-sync.ts"));

/** @param readers - what sync reads; it keeps nothing of its own that the log does not say again */
export function openSync(readers: Readers): Sync {
  return new LogSync(readers);
}

class LogSync implements Sync {
  readonly #readers: Readers;
  readonly #filters: FilterSource;
  readonly #notifier: Notifier;
  readonly #ends = new Ends();
  readonly #sliding: () => Promise<SlidingSyncServer>;

  constructor(readers: Readers) {
    this.#readers = readers;
    this.#filters = new FilterSource(readers.accountData);
    this.#notifier = new Notifier(readers.storage);
    this.#sliding = once(async () => {
      const { SlidingSyncServer } = await slidingSync();
      return new SlidingSyncServer({
        readers,
        notifier: this.#notifier,
      });
    });
  }

  async sync(requester: Requester, query: SyncQuery, sync: string): Promise<JsonBytes> {
    // From the first moment on, so that a client that goes away at once is not waited for.
    const end = this.#ends.open(sync, query.timeout);
    try {
      const newest = await newestPosition(this.#readers);
      const point = query.since === undefined ? undefined : parseSince(query.since, newest);
      const since = point?.position;
      // The client has the answer that its token came with.
      if (point !== undefined && requester.deviceId !== undefined) {
        this.#readers.toDevice.delivered(requester.userId, requester.deviceId, point.toDevice);
      }
      if (since === undefined || query.fullState) end.come();
      const request = await this.#request(requester, query, point);
      const stopped = this.#readers.presence.syncing(requester.userId, query.setPresence);
      try {
        return toBytes(await this.#firstNews(request, since, end));
      } finally {
        stopped();
      }
    } finally {
      end.clear();
    }
  }

  async deviceLists({ userId }: Requester, from: string, to: string): Promise<DeviceLists> {
    const { position } = this.#readers.storage;
    const since = parseSince(from, position, "from")?.position;
    const upTo = parseSince(to, position, "to")?.position ?? position;
    const sharing = await this.#readers.room.sharingUsers(userId);
    // A token of a database that has been put back says nothing of what the client knows.
    if (since === undefined) return { changed: [userId, ...sharing], left: [] };
    return deviceLists(
      this.#readers,
      userId,
      { since, upTo },
      { membersOf: undefined, deviceLists: true, sharing },
    );
  }

  async cancel(sync: string): Promise<void> {
    this.#ends.cancel(sync);
  }

  async waiting(): Promise<number> {
    return this.#notifier.waiting;
  }

  async sliding(requester: Requester, query: SlidingSyncQuery, sync: string): Promise<JsonBytes> {
    const end = this.#ends.open(sync, query.timeout);
    try {
      return await (await this.#sliding()).sync(requester, query, end);
    } finally {
      end.clear();
    }
  }

  async #firstNews(request: SyncRequest, since: Position | undefined, end: End): Promise<Answer> {
    let from = since;
    for (;;) {
      // Read anew each time: a look after the end must see what came until then, as the answer's token covers it.
      const ended = end.hasCome;
      const upTo = await newestPosition(this.#readers);
      const span = { since: from, upTo };
      const answer = await this.#unlessPurged(upTo, () => buildAnswer(this.#readers, request, span));
      if (answer === undefined) continue;
      if (answer.isNews || ended) return answer;
      // What holds nothing for this client need not be looked at again when the next entry comes.
      if (answer.isEmpty) from = upTo;
      const interest = await this.#unlessPurged(upTo, answer.interest);
      if (interest !== undefined) await this.#notifier.wait(interest, upTo, end.promise);
    }
  }

  /** Undefined if a room has been removed while it was read: without it there is nothing in the way. */
  async #unlessPurged<T>(upTo: Position, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (this.#notifier.lastPurge > upTo) return undefined;
      throw error;
    }
  }

  async #request(requester: Requester, query: SyncQuery, since: SyncPoint | undefined): Promise<SyncRequest> {
    const { storage, room } = this.#readers;
    const [filter, user] = await Promise.all([
      this.#filters.find(requester.userId, query.filter),
      storage.names.intern(requester.userId),
    ]);
    return {
      requester,
      user,
      filter,
      stateSection: query.stateSection,
      fullState: query.fullState,
      startsAnew: query.since !== undefined && since === undefined,
      ...serialiser(room, requester, filter),
      toDevice: {
        after: since?.toDevice ?? 0,
        isBehind: since === undefined || since.toDevice < since.position,
      },
    };
  }
}
