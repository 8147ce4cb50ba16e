import {
  type ChannelKind,
  type LinkEnd,
  LinkError,
  type LinkHandler,
  type LinkIdentity,
  type LinkRequest,
  type LinkResponse,
} from "./api.ts";
import { backOff } from "./back-off.ts";
import type { Clock } from "./clock.ts";
import { openLink } from "./open-link.ts";
import { type Attempt, type Raced, race } from "./race.ts";
import type { Session } from "./session/session.ts";
import { connectChannel, kindsFor, type LinkAddresses } from "./transports/connect.ts";

/** How the connection to a relay is, for people. */
export type KeeperState =
  | { state: "connecting" }
  /** `roundTrip` in milliseconds, undefined before it has been measured. */
  | { state: "open"; kind: ChannelKind; roundTrip: number | undefined }
  /** It is tried again at `until`, milliseconds since 1970. */
  | { state: "waiting"; until: number; reason: string }
  /** The relay does not want this server. It is tried again only when told to. */
  | { state: "refused"; reason: string }
  /** Told to keep no connection. */
  | { state: "asleep" };

export type KeeperOptions = {
  relayName: string;
  identity: LinkIdentity;
  /** Answers what the relay asks. */
  handler: LinkHandler;
  /** Where the relay can be reached, asked before each attempt: its certificates change. */
  addresses(signal: AbortSignal): Promise<LinkAddresses>;
  clock: Clock;
  /** From 0 up to 1. */
  random(): number;
  changed(state: KeeperState): void;
  log(error: unknown): void;
  /** The platform's own unless given. */
  connect?: typeof connectChannel;
  kinds?: typeof kindsFor;
};

export type RequestOptions = {
  signal?: AbortSignal;
  /** It may be sent again though the relay may have begun with it. */
  repeatable?: boolean;
  /** How long to wait for an open session in all, in milliseconds. */
  wait?: number;
};

/**
 * Home routers forget a UDP flow after 30 seconds. A dead network is noticed within 30, and within 14 of when something is
 * sent: before a request to another server has run out of time, which would be taken for that server's fault.
 */
const keepAlive = { silence: 20_000, unanswered: 4000, patience: 10_000 };
const defaultWait = 10_000;
/** A session that lived so long was no failure. */
const settled = 30_000;
/** How long to stay away when another session of this server was opened: two that take turns are of no use. */
const stayAway = 30_000;
/** First and longest time between attempts to get a better kind of connection. */
const betterFirst = 60_000;
const betterLongest = 60 * 60_000;
const order: readonly ChannelKind[] = ["webtransport", "websocket", "fetch"];
const best = order[0];
/** How long exchanges may go on over a session after a better one has opened. */
const handOver = 30_000;
/** An open session that does not answer a ping for so long, when the network has changed, is given up. */
const pingLimit = 3000;
/** How soon a request that was refused is sent again. */
const sendAgain = 250;

/** Keeps a session with one relay open, over the best kind of connection that there is. */
export class Keeper {
  readonly #options: KeeperOptions;
  #state: KeeperState = { state: "asleep" };
  #current: Session | undefined;
  #openedAt = 0;
  /** In a row. */
  #failures = 0;
  #betterIn = betterFirst;
  /** Ends what is under way: attempts and timers of the time before. */
  #era = new AbortController();
  /** Under way, if any: a better session, of which the relay may know before we do. */
  #better: Promise<void> | undefined;
  readonly #waiting = new Set<() => void>();

  /** Does nothing before `reconnect`. */
  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  get state(): KeeperState {
    return this.#state;
  }

  /**
   * Connects at once, or finds out whether the session that is open still lives: on opening, when the network is back,
   * on waking up, or because somebody asks for it.
   */
  reconnect(): void {
    const link = this.#current;
    this.#betterIn = betterFirst;
    if (link === undefined) {
      this.#failures = 0;
      void this.#connect();
      return;
    }
    const callOff = this.#options.clock.after(pingLimit, () => void link.close("It does not answer.", 0));
    // A session that ends while it is asked is replaced anyway.
    void this.#measure(link).finally(callOff);
  }

  /** Ends the session and keeps none until `reconnect`. */
  async sleep(reason: string): Promise<void> {
    const link = this.#current;
    this.#begin();
    this.#current = undefined;
    this.#enter({ state: "asleep" });
    await link?.close(reason);
  }

  /**
   * @param make - makes the request, once for each time it is sent: only where the relay has certainly not begun with
   *   it, or it is repeatable
   * @throws {LinkError} the last attempt's; untouched when no session was open within the wait
   */
  async request(
    make: () => LinkRequest,
    { signal, repeatable = false, wait = defaultWait }: RequestOptions = {},
  ): Promise<LinkResponse> {
    const deadline = this.#options.clock.now() + wait;
    for (;;) {
      const link = await this.#session(deadline, signal);
      try {
        return await link.request(make(), signal);
      } catch (error) {
        const again = error instanceof LinkError && (error.untouched || repeatable);
        const left = deadline - this.#options.clock.now();
        if (!again || left <= 0) throw error;
        // The session may be about to close, or be full.
        if (this.#current === link) await this.#change(Math.min(left, sendAgain), signal);
      }
    }
  }

  async #session(deadline: number, signal: AbortSignal | undefined): Promise<Session> {
    while (this.#current === undefined) {
      const left = deadline - this.#options.clock.now();
      if (left <= 0) throw new LinkError("No session with the relay is open.", true);
      await this.#change(left, signal);
    }
    return this.#current;
  }

  /** Until the session is another, but so many milliseconds at most. */
  async #change(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    let proceed: () => void = () => undefined;
    const changed = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    this.#waiting.add(proceed);
    signal?.addEventListener("abort", proceed, { once: true });
    const callOff = this.#options.clock.after(milliseconds, proceed);
    await changed;
    callOff();
    signal?.removeEventListener("abort", proceed);
    this.#waiting.delete(proceed);
    signal?.throwIfAborted();
  }

  /** Calls off what is under way. */
  #begin(): AbortSignal {
    this.#era.abort();
    this.#era = new AbortController();
    this.#better = undefined;
    return this.#era.signal;
  }

  #after(milliseconds: number, era: AbortSignal, run: () => void): void {
    const callOff = this.#options.clock.after(milliseconds, () => {
      era.removeEventListener("abort", callOff);
      run();
    });
    era.addEventListener("abort", callOff, { once: true });
  }

  async #connect(): Promise<void> {
    const era = this.#begin();
    this.#enter({ state: "connecting" });
    const raced = await this.#race(era, () => true);
    if (era.aborted) return this.#discard(raced);
    if (raced.link !== undefined) this.#use(raced.link);
    else if (raced.refused) this.#enter({ state: "refused", reason: raced.reason });
    else this.#wait(raced.reason, 0);
  }

  async #race(era: AbortSignal, wanted: (kind: ChannelKind) => boolean): Promise<Raced> {
    const { addresses, clock, kinds = kindsFor } = this.#options;
    try {
      const found = await addresses(era);
      const tried = kinds(found).filter(wanted);
      if (tried.length === 0) return { refused: false, reason: "There is no better way." };
      return await race(tried, this.#attempt(found), clock, era);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { refused: false, reason: `The relay cannot be found: ${reason}` };
    }
  }

  #attempt(addresses: LinkAddresses): Attempt {
    const { relayName, identity, handler, clock, log, connect = connectChannel } = this.#options;
    return async (kind, signal, mayProve) => {
      const channel = await connect(kind, addresses, signal);
      const close = () => channel.close("Another way was faster.");
      signal.addEventListener("abort", close, { once: true });
      // Aborted in the moment before.
      if (signal.aborted) close();
      return openLink({ channel, handler, clock, keepAlive, log }, relayName, identity, mayProve);
    };
  }

  #discard({ link }: Raced): void {
    void link?.close("It is not needed any more.", 0);
  }

  #use(link: Session): void {
    this.#current = link;
    this.#openedAt = this.#options.clock.now();
    this.#enter({ state: "open", kind: link.kind, roundTrip: undefined });
    void this.#measure(link);
    void link.ended.then((end) => this.#lost(link, end));
    this.#improveLater(link);
  }

  #improveLater(link: Session): void {
    if (link.kind === best) return;
    const era = this.#era.signal;
    this.#after(this.#betterIn, era, () => {
      if (this.#current === link) this.#better = this.#improve(link, era);
    });
  }

  async #measure(link: Session): Promise<void> {
    try {
      const roundTrip = await link.ping();
      if (this.#current === link) this.#enter({ state: "open", kind: link.kind, roundTrip });
    } catch {
      // The session has ended, which is seen where it ends.
    }
  }

  /** Goes over to a better kind of connection, where there is one. */
  async #improve(link: Session, era: AbortSignal): Promise<void> {
    this.#betterIn = Math.min(2 * this.#betterIn, betterLongest);
    const better = order.slice(0, order.indexOf(link.kind));
    const raced = await this.#race(era, (kind) => better.includes(kind));
    this.#better = undefined;
    if (era.aborted) return this.#discard(raced);
    if (raced.link !== undefined) {
      // What is under way ends on the old one.
      void link.close("A better connection took its place.", handOver);
      this.#use(raced.link);
    } else if (this.#current === link) this.#improveLater(link);
  }

  async #lost(link: Session, end: LinkEnd): Promise<void> {
    if (this.#current !== link) return;
    this.#current = undefined;
    const era = this.#era.signal;
    // The relay ends the old session when the better one opens, and may be heard here before the better one is.
    if (end.kind === "moved") await this.#better;
    if (era.aborted || this.#current !== undefined) return;
    this.#begin();
    if (this.#options.clock.now() - this.#openedAt >= settled) this.#failures = 0;
    if (end.kind === "refused") this.#enter({ state: "refused", reason: end.reason });
    else this.#wait(end.reason, end.kind === "moved" ? stayAway : 0);
  }

  #wait(reason: string, least: number): void {
    const { clock, random } = this.#options;
    const milliseconds = Math.max(least, backOff(++this.#failures, random()));
    this.#enter({ state: "waiting", until: clock.now() + milliseconds, reason });
    this.#after(milliseconds, this.#era.signal, () => void this.#connect());
  }

  #enter(state: KeeperState): void {
    this.#state = state;
    this.#options.changed(state);
    for (const proceed of this.#waiting) proceed();
  }
}
