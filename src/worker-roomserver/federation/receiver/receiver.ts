import { MatrixError } from "../../../matrix/errors.ts";
import { type ReceivedTransaction, readTransaction } from "../../../matrix/transactions.ts";
import type { Mail } from "../../relay/api.ts";
import type { Write } from "../../storage/api.ts";
import type { Position } from "../../storage/schema.ts";
import type { PduResults } from "../api.ts";
import type { FederationContext } from "../context.ts";
import type { GapFiller } from "../gaps/gap-filler.ts";
import type { WaitingEvents } from "../gaps/waiting-events.ts";
import type { KnownRooms } from "../known-rooms.ts";
import type { Receiver, ReceiverTakers } from "./api.ts";
import { checkMail, readMail } from "./check-mail.ts";
import { Lanes } from "./lanes.ts";
import { ParkedEvents } from "./parked.ts";
import { PduTaker, type SortedPdus, type TakenPdus } from "./take-pdus.ts";
import { within } from "./within.ts";

/**
 * Milliseconds that a key may take to be found while others may have to wait for the place. It is looked for on, and is
 * there when the mail's turn comes again.
 */
const KEY_TIME_MS = 1_000;
/** Mail for which no key can be had is refused when it is so old: whoever has sent it is not there any more. */
const KEY_GIVEN_UP_MS = 30 * 24 * 60 * 60_000;

export type ReceiverOptions = Pick<
  FederationContext,
  "storage" | "serverName" | "ed25519" | "now" | "later" | "inbox" | "keyRing" | "roomInput" | "roomQueries"
> &
  ReceiverTakers & {
    knownRooms: KnownRooms;
    waitingEvents: WaitingEvents;
    gaps: Pick<GapFiller, "wake" | "arrived">;
  };

/** What was found of mail. `gone`: it has ended. */
type Prepared =
  | { outcome: "gone" | "later" }
  | { outcome: "refused"; why: string }
  | {
      outcome: "signed";
      origin: string;
      transactionId: string;
      pdus: SortedPdus;
      edus: ReceivedTransaction["edus"];
    };

type Waiter = (results: PduResults | undefined) => void;

/**
 * Takes in mail. What a transaction leads to is stored before it ends, and is known when it is made again; so wherever
 * the leader dies, the next one takes the transaction in once more, with nothing more coming of it.
 */
export class InboxReceiver implements Receiver {
  readonly #options: ReceiverOptions;
  readonly #pdus: PduTaker;
  readonly #parked: ParkedEvents;
  readonly #lanes: Lanes<Prepared>;
  readonly #waiters = new Map<string, Set<Waiter>>();
  #unsubscribe: () => void = () => undefined;
  #isClosed = false;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#pdus = new PduTaker(options);
    this.#parked = new ParkedEvents({
      joined: options.joined,
      take: (origin, texts) => this.#takeParked(origin, texts),
    });
    this.#lanes = new Lanes({
      later: options.later,
      prepare: (id) => this.#prepare(id),
      take: (id, prepared) => this.#take(id, prepared),
      giveUp: (id) => this.#refuse(id, "Its key cannot be had."),
    });
  }

  async start(): Promise<void> {
    const { storage, inbox } = this.#options;
    this.#unsubscribe = storage.onEntries((entries) => {
      for (const { topic, detail, position } of entries)
        if (topic === "mail") this.#lanes.add(detail, position);
    });
    for (const { id, origin } of await inbox.waiting()) this.#lanes.add(origin, id);
  }

  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    this.#lanes.close();
  }

  async deliver(mail: Mail, withinMs: number): Promise<PduResults | undefined> {
    const { origin, transactionId } = mail;
    const name = nameOf(origin, transactionId);
    let tell: Waiter = () => undefined;
    const told = new Promise<PduResults | undefined>((resolve) => {
      tell = resolve;
    });
    // Before it is there: it may be taken in before this goes on.
    const waiters = this.#waiters.get(name) ?? new Set();
    this.#waiters.set(name, waiters.add(tell));
    const { inbox, later } = this.#options;
    try {
      if (await inbox.add(mail)) return await within(told, withinMs, later);
      const answer = await inbox.answerOf(origin, transactionId);
      if (answer !== undefined) return answer === "" ? {} : (JSON.parse(answer) as PduResults);
      return await within(told, withinMs, later);
    } finally {
      waiters.delete(tell);
      if (waiters.size === 0) this.#waiters.delete(name);
    }
  }

  /** All that can be found out of mail before it is its turn. It changes nothing. */
  async #prepare(id: Position): Promise<Prepared> {
    const { inbox, serverName, now, later } = this.#options;
    const mail = await inbox.read(id);
    if (mail === undefined) return { outcome: "gone" };
    const read = readMail(mail, serverName);
    const check = "outcome" in read ? read : await within(checkMail(read, this.#options), KEY_TIME_MS, later);
    if (check === undefined) {
      const isOld = now() - mail.receivedAt >= KEY_GIVEN_UP_MS;
      return isOld ? { outcome: "refused", why: "Its key cannot be had." } : { outcome: "later" };
    }
    if (check.outcome === "refused") return check;
    const { origin, transactionId } = mail;
    const { pdus, edus } = readOrNothing(check.text);
    return { outcome: "signed", origin, transactionId, pdus: await this.#pdus.sort(origin, pdus), edus };
  }

  async #take(id: Position, prepared: Prepared): Promise<"ended" | "later"> {
    if (prepared.outcome === "later") return "later";
    if (prepared.outcome === "refused") await this.#refuse(id, prepared.why);
    if (prepared.outcome !== "signed") return "ended";
    // Another delivery of the same transaction may have been taken meanwhile, and have ended this one.
    if ((await this.#options.inbox.read(id)) === undefined) return "ended";
    const { origin, transactionId, pdus, edus } = prepared;
    const taken = await this.#pdus.take(origin, pdus);
    for (const { roomId, text } of taken.strangers) this.#parked.add(origin, roomId, text);
    for (const edu of edus) await this.#options.takeEdu(origin, edu);
    const { written } = await this.#end(id, origin, taken);
    // Not waited for: the next one is taken in while this one's end is on its way to the disk.
    written.then(
      () => this.#tell(nameOf(origin, transactionId), taken.results),
      (error: unknown) => this.#again(origin, id, error),
    );
    return "ended";
  }

  /** Events of a room that was being joined when their transaction was taken, now that it is not. */
  async #takeParked(origin: string, texts: readonly string[]): Promise<void> {
    if (this.#isClosed) return;
    const sorted = await this.#pdus.sort(origin, texts);
    if (sorted.rooms.length === 0) return;
    const taken = await this.#pdus.take(origin, { ...sorted, strangers: [] });
    const put = await this.#keep(origin, taken);
    await this.#options.storage.commit(put);
    this.#follow(taken);
  }

  /** @returns inside a promise, one of its own: it resolves when the end is on the disk */
  async #end(id: Position, origin: string, taken: TakenPdus): Promise<{ written: Promise<void> }> {
    const { storage, inbox } = this.#options;
    const put = await this.#keep(origin, taken);
    const end = await inbox.ending({ id }, "taken", JSON.stringify(taken.results));
    const written = storage.commit((write) => {
      put(write);
      end(write);
    });
    return { written: written.then(() => this.#follow(taken)) };
  }

  /** @returns what puts the events that are held among those that wait, into a unit */
  async #keep(origin: string, { held, results }: TakenPdus): Promise<(write: Write) => void> {
    const { waitingEvents, now } = this.#options;
    const puts: ((write: Write) => void)[] = [];
    for (const { room, events } of held) {
      const waiting = events.map((event) => ({ event, origin, at: now() }));
      const { turnedAway, put } = await waitingEvents.admit(room, waiting);
      for (const eventId of turnedAway) results[eventId] = { error: "Too many events wait for others here." };
      puts.push(put);
    }
    return (write) => {
      for (const put of puts) put(write);
    };
  }

  #follow({ held, arrived }: TakenPdus): void {
    const { gaps } = this.#options;
    for (const { room } of held) gaps.wake(room);
    for (const { room, events } of arrived) gaps.arrived(room, events);
  }

  /** What has not ended after all is taken in once more. */
  #again(origin: string, id: Position, error: unknown): void {
    if (this.#isClosed) return;
    console.error(
      `hearth: a transaction of ${origin} is taken in once more, as its end was not written`,
      error,
    );
    this.#lanes.add(origin, id);
  }

  async #refuse(id: Position, why: string): Promise<void> {
    const { storage, inbox } = this.#options;
    const mail = await inbox.read(id);
    if (mail === undefined) return;
    const { origin, transactionId } = mail;
    console.warn(`hearth: the transaction ${transactionId} of ${origin} is refused: ${why}`);
    const end = await inbox.ending({ id }, "refused");
    await storage.commit(end);
    this.#tell(nameOf(origin, transactionId), undefined);
  }

  #tell(name: string, results: PduResults | undefined): void {
    for (const tell of this.#waiters.get(name) ?? []) tell(results);
  }
}

const nameOf = (origin: string, transactionId: string) => JSON.stringify([origin, transactionId]);

/** What its origin has signed and is no transaction has no effect. */
function readOrNothing(text: string): ReceivedTransaction {
  try {
    return readTransaction(text);
  } catch (error) {
    if (error instanceof MatrixError) return { pdus: [], edus: [] };
    throw error;
  }
}
