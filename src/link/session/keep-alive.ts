import type { Clock } from "../clock.ts";

export type KeepAliveOptions = {
  /** After so many milliseconds without anything from the peer it is asked whether it is there. */
  silence: number;
  /** And after so many more it is taken for dead. */
  patience: number;
};

/** Notices that the peer is gone though nothing says so: a lost network, a frozen tab. */
export class KeepAlive {
  readonly #clock: Clock;
  readonly #options: KeepAliveOptions;
  readonly #ask: () => void;
  readonly #dead: () => void;
  #heard: number;
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, options: KeepAliveOptions, ask: () => void, dead: () => void) {
    this.#clock = clock;
    this.#options = options;
    this.#ask = ask;
    this.#dead = dead;
    this.#heard = clock.now();
    this.#watch(options.silence);
  }

  /** Something came from the peer. Costs nothing: the timer finds out when it goes off. */
  heard(): void {
    this.#heard = this.#clock.now();
  }

  stop(): void {
    this.#cancel();
  }

  #watch(milliseconds: number): void {
    this.#cancel = this.#clock.after(milliseconds, () => {
      const left = this.#heard + this.#options.silence - this.#clock.now();
      if (left > 0) return this.#watch(left);
      const asked = this.#clock.now();
      this.#ask();
      this.#cancel = this.#clock.after(this.#options.patience, () => {
        if (this.#heard >= asked)
          this.#watch(Math.max(1, this.#heard + this.#options.silence - this.#clock.now()));
        else this.#dead();
      });
    });
  }
}
