import type { Clock } from "../clock.ts";

/** Times in milliseconds. */
export type KeepAliveOptions = {
  /** After so long without anything from the peer it is asked whether it is there. */
  silence: number;
  /** The same after something was sent to it, to which nothing has come. By default that makes no difference. */
  unanswered?: number;
  /** And after so much longer it is taken for dead. */
  patience: number;
};

/**
 * Notices that the peer is gone though nothing says so: a lost network, a frozen tab. Costs a timer, set anew at most once
 * in `unanswered` however much is sent.
 */
export class KeepAlive {
  readonly #clock: Clock;
  readonly #options: KeepAliveOptions;
  readonly #ask: () => void;
  readonly #dead: () => void;
  #heard: number;
  /** When the first of what was sent since then was sent. */
  #sent = Number.POSITIVE_INFINITY;
  #isAsked = false;
  /** When the timer goes off. */
  #next = 0;
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, options: KeepAliveOptions, ask: () => void, dead: () => void) {
    this.#clock = clock;
    this.#options = options;
    this.#ask = ask;
    this.#dead = dead;
    this.#heard = clock.now();
    this.#watch();
  }

  /** Something came from the peer. The timer finds out when it goes off. */
  heard(): void {
    this.#heard = this.#clock.now();
    this.#sent = Number.POSITIVE_INFINITY;
    if (!this.#isAsked) return;
    this.#isAsked = false;
    this.#watch();
  }

  /** Something goes to the peer. */
  sent(): void {
    this.#sent = Math.min(this.#sent, this.#clock.now());
    if (!this.#isAsked && this.#due() < this.#next) this.#watch();
  }

  stop(): void {
    this.#cancel();
  }

  /** When the peer is to be asked. */
  #due(): number {
    const { silence, unanswered = silence } = this.#options;
    return Math.min(this.#heard + silence, this.#sent + unanswered);
  }

  #watch(): void {
    this.#cancel();
    const clock = this.#clock;
    const wait = Math.max(1, this.#due() - clock.now());
    this.#next = clock.now() + wait;
    this.#cancel = clock.after(wait, () => {
      if (this.#due() > clock.now()) return this.#watch();
      this.#isAsked = true;
      this.#ask();
      // What comes calls it off.
      this.#cancel = clock.after(this.#options.patience, this.#dead);
    });
  }
}
