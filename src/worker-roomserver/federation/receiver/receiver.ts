import { MatrixError } from "../../../matrix/errors.ts";
import { type ReceivedTransaction, readTransaction } from "../../../matrix/transactions.ts";
import type { Write } from "../../storage/api.ts";
import type { Position } from "../../storage/schema.ts";
import type { PduResults } from "../api.ts";
import type { FederationContext } from "../context.ts";
import type { WaitingEvents } from "../gaps/waiting-events.ts";
import type { KnownRoom, KnownRooms } from "../known-rooms.ts";
import type { Receiver, ReceiverTakers } from "./api.ts";
import { checkMail, readMail } from "./check-mail.ts";
import { Lanes } from "./lanes.ts";
import { PduTaker, type TakenPdus } from "./take-pdus.ts";
import { within } from "./within.ts";

/** Milliseconds that a key may take to be found, for as long as the transaction itself is in memory. */
const KEY_TIME_MS = 5_000;
/** Mail for which no key can be had is refused when it is so old: whoever has sent it is not there any more. */
const KEY_GIVEN_UP_MS = 30 * 24 * 60 * 60_000;

export type ReceiverOptions = Pick<
  FederationContext,
  "storage" | "serverName" | "ed25519" | "now" | "later" | "inbox" | "keyRing" | "roomInput" | "roomQueries"
> &
  ReceiverTakers & {
    knownRooms: KnownRooms;
    waitingEvents: WaitingEvents;
    /** Told of rooms in which events wait now. */
    onWaiting: (room: KnownRoom) => void;
  };

type Waiter = (results: PduResults | undefined) => void;

/**
 * Takes in mail. What a transaction leads to is stored before it ends, and is known when it is made again; so wherever
 * the leader dies, the next one takes the transaction in once more, with nothing more coming of it.
 */
export class InboxReceiver implements Receiver {
  readonly #options: ReceiverOptions;
  readonly #pdus: PduTaker;
  readonly #lanes: Lanes;
  readonly #waiters = new Map<string, Set<Waiter>>();
  #unsubscribe: () => void = () => undefined;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#pdus = new PduTaker(options);
    this.#lanes = new Lanes({
      later: options.later,
      take: (id) => this.#take(id),
      giveUp: (id) => this.#refuse(id, "Its key cannot be had."),
    });
  }

  async start(): Promise<void> {
    const { storage, inbox } = this.#options;
    this.#unsubscribe = storage.onEntries((entries) => {
      for (const { topic, detail, position } of entries) if (topic === "mail") this.#lanes.add(detail, position);
    });
    for (const { id, origin } of await inbox.waiting()) this.#lanes.add(origin, id);
  }

  close(): void {
    this.#unsubscribe();
    this.#lanes.close();
  }

  async results(origin: string, transactionId: string, withinMs: number): Promise<PduResults | undefined> {
    const name = nameOf(origin, transactionId);
    let tell: Waiter = () => undefined;
    const told = new Promise<PduResults | undefined>((resolve) => {
      tell = resolve;
    });
    const waiters = this.#waiters.get(name) ?? new Set();
    this.#waiters.set(name, waiters.add(tell));
    try {
      // Asked for after it is waited for: it may end at any time.
      const answer = await this.#options.inbox.answerOf(origin, transactionId);
      if (answer !== undefined) return answer === "" ? {} : (JSON.parse(answer) as PduResults);
      return await within(told, withinMs, this.#options.later);
    } finally {
      waiters.delete(tell);
      if (waiters.size === 0) this.#waiters.delete(name);
    }
  }

  /** @returns "later" if no key could be had */
  async #take(id: Position): Promise<"ended" | "later"> {
    const { inbox, serverName, now, later } = this.#options;
    const mail = await inbox.read(id);
    if (mail === undefined) return "ended";
    const read = readMail(mail, serverName);
    const check = "outcome" in read ? read : await within(checkMail(read, this.#options), KEY_TIME_MS, later);
    if (check === undefined) {
      if (now() - mail.receivedAt < KEY_GIVEN_UP_MS) return "later";
      return this.#refuse(id, "Its key cannot be had.");
    }
    if (check.outcome === "refused") return this.#refuse(id, check.why);
    const { origin, transactionId } = mail;
    const { pdus, edus } = readOrNothing(check.text);
    const { results, held } = await this.#pdus.take(origin, pdus);
    for (const edu of edus) await this.#options.takeEdu(origin, edu);
    await this.#end(id, origin, { results, held });
    this.#tell(nameOf(origin, transactionId), results);
    return "ended";
  }

  async #end(id: Position, origin: string, { results, held }: TakenPdus): Promise<void> {
    const { storage, inbox, waitingEvents, now, onWaiting } = this.#options;
    const puts: ((write: Write) => void)[] = [];
    for (const { room, events } of held) {
      const waiting = events.map((event) => ({ event, origin, at: now() }));
      const { turnedAway, put } = await waitingEvents.admit(room, waiting);
      for (const eventId of turnedAway) results[eventId] = { error: "Too many events wait for others here." };
      puts.push(put);
    }
    const end = await inbox.ending({ id }, "taken", JSON.stringify(results));
    await storage.commit((write) => {
      for (const put of puts) put(write);
      end(write);
    });
    for (const { room } of held) onWaiting(room);
  }

  async #refuse(id: Position, why: string): Promise<"ended"> {
    const { storage, inbox } = this.#options;
    const mail = await inbox.read(id);
    if (mail === undefined) return "ended";
    const { origin, transactionId } = mail;
    console.warn(`hearth: the transaction ${transactionId} of ${origin} is refused: ${why}`);
    const end = await inbox.ending({ id }, "refused");
    await storage.commit(end);
    this.#tell(nameOf(origin, transactionId), undefined);
    return "ended";
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
