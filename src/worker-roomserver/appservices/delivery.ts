import type { AppServiceSendingRow, Position } from "../storage/schema.ts";
import type { AppServiceClient } from "./client.ts";
import { Interest, type Sources } from "./interest.ts";
import { readerName } from "./reader-name.ts";
import type { Service } from "./service.ts";
import { transactionBody } from "./transaction-body.ts";

export type DeliveryOptions = Sources & {
  client: AppServiceClient;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Calls something in so many milliseconds. @returns how to prevent it */
  later: (ms: number, call: () => void) => () => void;
};

/** Entries of the log that are looked at together. */
const BATCH = 500;
const TIMEOUT_MS = 60_000;
const FIRST_RETRY_MS = 1_000;
/** A service that is back is noticed after this at the latest; one that asks for a ping is at once. */
const LAST_RETRY_MS = 10 * 60_000;
/** After the storage has failed, which may be for lack of space. */
const AFTER_FAILURE_MS = 30_000;

const nothingSent: AppServiceSendingRow = { number: 0, json: "", failures: 0, retryAt: 0 };

/** `offset`: gone through up to there; `stored`: what the disk says of that. */
type Place = { life: number; sending: AppServiceSendingRow; offset: Position; stored: Position };

/** Milliseconds after so many failures in a row. */
export const retryAfter = (failures: number) =>
  Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20), LAST_RETRY_MS);

/**
 * Sends a service what it is interested in, in transactions one after the other. A transaction is stored, with the place
 * in the log up to which it goes, before it is sent for the first time; then it is sent, unchanged, until the service has
 * taken it. Nothing else waits for a service that does not: it only keeps the log from being trimmed past its place.
 * @see https://spec.matrix.org/v1.19/application-service-api/#pushing-events
 */
export class Delivery {
  readonly #with: DeliveryOptions;
  readonly #service: Service;
  readonly #target: Parameters<AppServiceClient>[0];
  readonly #interest: Interest;
  readonly #unsubscribe: (() => void)[];
  /** What is on the disk, as of a life; undefined: it has to be read. */
  #place: Place | undefined;
  /** Counts what makes memory void. */
  #life = 0;
  #running: Promise<void> | undefined;
  /** Something has come up since the run that is under way looked. */
  #isAsked = false;
  #isStopped = false;
  #cancelTimer: () => void = () => undefined;
  #lastError = "";

  constructor(options: DeliveryOptions, service: Service, url: string) {
    this.#with = options;
    this.#service = service;
    this.#target = { url, hsToken: service.registration.hsToken };
    this.#interest = new Interest(options, service);
    this.#unsubscribe = [
      options.storage.onEntries(() => this.#wake()),
      options.storage.onRollback(() => {
        this.#life += 1;
      }),
    ];
    this.#wake();
  }

  /** Why the last attempt that failed did, "" for none; for people. */
  get lastError(): string {
    return this.#lastError;
  }

  /** The service has shown that it is there: what it has not taken is sent again at once. */
  retryNow(): void {
    if (this.#place !== undefined) this.#place.sending = { ...this.#place.sending, retryAt: 0 };
    this.#wake();
  }

  /** Sends and writes nothing more, but for what is on its way. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  #wake(): void {
    this.#isAsked = true;
    if (this.#isStopped || this.#running !== undefined) return;
    this.#cancelTimer();
    this.#running = this.#run()
      .catch((error: unknown) => {
        if (this.#isStopped) return;
        console.error(`hearth: what ${this.#service.id} is to be told waits`, error);
        this.#place = undefined;
        this.#sleep(AFTER_FAILURE_MS);
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  #sleep(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#with.later(ms, () => this.#wake());
  }

  async #run(): Promise<void> {
    while (this.#isAsked && !this.#isStopped) {
      this.#isAsked = false;
      while (!this.#isStopped && (await this.#step()));
    }
  }

  /** @returns whether there may be more to do at once */
  async #step(): Promise<boolean> {
    const place = this.#place?.life === this.#life ? this.#place : await this.#load();
    if (place.sending.json === "") return this.#make(place);
    const wait = place.sending.retryAt - this.#with.now();
    if (wait <= 0) return this.#send(place);
    this.#sleep(wait);
    return false;
  }

  async #load(): Promise<Place> {
    const life = this.#life;
    const { storage } = this.#with;
    this.#interest.reset();
    const [sending, offset] = await Promise.all([
      storage.get("appServiceSending", this.#service.id),
      storage.get("readers", readerName(this.#service.id)),
    ]);
    const stored = offset ?? this.#service.since;
    const place = { life, sending: sending ?? nothingSent, offset: stored, stored };
    this.#place = place;
    return place;
  }

  /** Makes the next transaction of what the log has. */
  async #make(place: Place): Promise<boolean> {
    const { storage } = this.#with;
    const entries = await storage.entriesAfter(place.offset, BATCH);
    if (entries === undefined) {
      console.error(
        `hearth: the log does not reach back to where ${this.#service.id} stood: entries are lost to it`,
      );
      this.#interest.reset();
      place.offset = storage.logStart;
      return true;
    }
    if (entries.length === 0) return false;
    const news = await this.#interest.news(entries);
    if (place.life !== this.#life || this.#isStopped) return true;
    const json = transactionBody(news, this.#service.registration);
    const isDue = news.upTo - place.stored >= BATCH;
    const sending = { ...nothingSent, number: place.sending.number + 1, json: json ?? "" };
    place.offset = news.upTo;
    if (json === undefined && !isDue) return true;
    await storage.commit((write) => {
      if (json !== undefined) write.put("appServiceSending", sending, this.#service.id);
      write.put("readers", news.upTo, readerName(this.#service.id));
      // From here on they wait for no device any more.
      for (const message of news.taken) this.#with.toDevice.take(write, ...message);
    });
    place.stored = news.upTo;
    if (json === undefined) return true;
    place.sending = sending;
    return true;
  }

  async #send(place: Place): Promise<boolean> {
    const { now, storage } = this.#with;
    const { sending } = place;
    const isTaken = await this.#isTaken(sending);
    if (place.life !== this.#life || this.#isStopped) return true;
    const failures = sending.failures + 1;
    const after = isTaken
      ? { ...nothingSent, number: sending.number }
      : { ...sending, failures, retryAt: now() + retryAfter(failures) };
    await storage.commit((write) => write.put("appServiceSending", after, this.#service.id));
    place.sending = after;
    return true;
  }

  async #isTaken({ number, json, failures }: AppServiceSendingRow): Promise<boolean> {
    // Where a service is removed and comes back under the same id, its transactions are others.
    const txnId = `${this.#service.since}_${number}`;
    const path = `/_matrix/app/v1/transactions/${txnId}`;
    const call = { method: "PUT", path, body: json, timeout: TIMEOUT_MS } as const;
    try {
      const { status } = await this.#with.client(this.#target, call);
      if (status === 200) return true;
      this.#lastError = `It answered ${status}.`;
      if (failures === 0) console.warn(`hearth: ${this.#service.id} answers ${status}; it is tried again`);
    } catch (error) {
      this.#lastError = error instanceof Error ? error.message : String(error);
      if (failures === 0) console.warn(`hearth: ${this.#service.id} is tried again later`, error);
    }
    return false;
  }
}
