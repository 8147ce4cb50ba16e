import type { JsonBytes, Requester } from "../node/requester.ts";
import type { Position } from "../storage/schema.ts";
import { type Answer, buildAnswer, toBytes } from "./answer.ts";
import type { Sync, SyncQuery } from "./api.ts";
import { FilterSource } from "./filter-source.ts";
import { IgnoredUsers } from "./ignored-users.ts";
import { Notifier } from "./notifier.ts";
import type { Readers } from "./readers.ts";
import type { SyncRequest } from "./request.ts";
import { serialiser } from "./serialiser.ts";
import { parseSince } from "./span.ts";

/** @param readers - what sync reads; it keeps nothing of its own that the log does not say again */
export function openSync(readers: Readers): Sync {
  return new LogSync(readers);
}

class LogSync implements Sync {
  readonly #readers: Readers;
  readonly #filters: FilterSource;
  readonly #ignoredUsers: IgnoredUsers;
  readonly #notifier: Notifier;
  readonly #cancels = new Map<string, () => void>();

  constructor(readers: Readers) {
    this.#readers = readers;
    this.#filters = new FilterSource(readers.accountData);
    this.#ignoredUsers = new IgnoredUsers(readers.storage, readers.accountData);
    this.#notifier = new Notifier(readers.storage);
  }

  async sync(requester: Requester, query: SyncQuery, sync: string): Promise<JsonBytes> {
    // From the first moment on, so that a client that goes away at once is not waited for.
    const end = this.#end(sync, query.timeout);
    try {
      const newest = await this.#newest();
      const since = query.since === undefined ? undefined : parseSince(query.since, newest);
      if (since === undefined || query.fullState) end.come();
      const request = await this.#request(requester, query, since);
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

  async cancel(sync: string): Promise<void> {
    this.#cancels.get(sync)?.();
  }

  async #firstNews(request: SyncRequest, since: Position | undefined, end: End): Promise<Answer> {
    let from = since;
    for (;;) {
      // Read anew each time: a look after the end must see what came until then, as the answer's token covers it.
      const ended = end.hasCome;
      const upTo = await this.#newest();
      const answer = await this.#answer(request, { since: from, upTo });
      if (answer === undefined) continue;
      if (answer.isNews || ended) return answer;
      // What holds nothing for this client need not be looked at again when the next entry comes.
      if (answer.isEmpty) from = upTo;
      await this.#notifier.wait(answer.interest, upTo, end.promise);
    }
  }

  /** Undefined if a room has been removed while it was read: without it there is nothing in the way. */
  async #answer(
    request: SyncRequest,
    span: { since: Position | undefined; upTo: Position },
  ): Promise<Answer | undefined> {
    try {
      return await buildAnswer(this.#readers, this.#ignoredUsers, request, span);
    } catch (error) {
      if (this.#notifier.lastPurge > span.upTo) return undefined;
      throw error;
    }
  }

  /** The newest position, once the unread counts have come that far. */
  async #newest(): Promise<Position> {
    const { storage, push } = this.#readers;
    const { position } = storage;
    await push.caughtUp(position);
    return position;
  }

  async #request(requester: Requester, query: SyncQuery, since: Position | undefined): Promise<SyncRequest> {
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
      serialise: serialiser(room, requester, filter),
    };
  }

  /** The end of a wait: its time is up, or its client has gone. */
  #end(sync: string, timeout: number): End {
    let resolve!: () => void;
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    const end: End = {
      promise,
      hasCome: false,
      come: () => {
        end.hasCome = true;
        resolve();
      },
      clear: () => {
        clearTimeout(timer);
        this.#cancels.delete(sync);
      },
    };
    const timer = timeout > 0 ? setTimeout(end.come, timeout) : undefined;
    if (timeout <= 0) end.come();
    this.#cancels.set(sync, end.come);
    return end;
  }
}

type End = { readonly promise: Promise<void>; hasCome: boolean; come: () => void; clear: () => void };
