/** Requests under way at once. The client has 60 for servers of which it does not know that they answer. */
const ALL = 60;
/**
 * Of these, to servers that did not answer the last time: they may hang, and must not take all places from others. The
 * client has ten for such, which are for joins and questions too.
 */
const DOUBTFUL = 6;

type Lane = "sound" | "doubtful";

/**
 * How many transactions are under way at once. Whoever waits gets a place in the order in which they came; a server that
 * has more to send comes again after the others.
 */
export class Lanes {
  readonly #underWay: Record<Lane, number> = { sound: 0, doubtful: 0 };
  readonly #waiting: Record<Lane, (() => void)[]> = { sound: [], doubtful: [] };

  /** @returns to be called once, when the place is free again */
  async enter(lane: Lane): Promise<() => void> {
    if (this.#isFree(lane)) this.#underWay[lane] += 1;
    else await new Promise<void>((resolve) => this.#waiting[lane].push(resolve));
    return () => {
      this.#underWay[lane] -= 1;
      this.#admit();
    };
  }

  #isFree(lane: Lane): boolean {
    const { sound, doubtful } = this.#underWay;
    return sound + doubtful < ALL && (lane === "sound" || doubtful < DOUBTFUL);
  }

  #admit(): void {
    for (const lane of ["sound", "doubtful"] as const) {
      while (this.#waiting[lane].length > 0 && this.#isFree(lane)) {
        this.#underWay[lane] += 1;
        this.#waiting[lane].shift()?.();
      }
    }
  }
}
