import type { DestinationState } from "../api.ts";
import { Gate } from "./gate.ts";

/** Requests that one server is asked at a time; what it is slow with does not take the way from others. */
const MOST_OF_ONE = 8;
/** More than that wait for one server only where something has gone wrong. */
const MOST_WAITING_FOR_ONE = 500;
/** Requests under way in all: what a relay carries for one node. */
const MOST = 64;
/** Of these, to servers that have not proved to answer: some places are left for those that have, however many hang. */
const MOST_UNPROVED = 60;
/** Of these, to servers that failed the last time, and all but the first to one that was never asked. */
const MOST_DOUBTFUL = 10;
const MOST_WAITING = 10_000;

/** How a server stands: whether it has answered the last time, has failed, or was never asked. */
export type Standing = "sound" | "new" | "failed";

export function standingOf({ failures, lastSuccess }: DestinationState): Standing {
  if (failures > 0) return "failed";
  return lastSuccess === 0 ? "new" : "sound";
}

/**
 * Who may be asked now, and who waits. A server that was never asked may hang as well as answer: it has one place like any
 * other, and what else it is asked shares the places of those that failed. So a first message to hundreds of servers is
 * held up neither by those among them that hang, nor by those that are known to.
 */
export class Lanes {
  readonly #all = new Gate(MOST, MOST_WAITING);
  readonly #unproved = new Gate(MOST_UNPROVED, MOST_WAITING);
  readonly #doubtful = new Gate(MOST_DOUBTFUL, MOST_WAITING);
  readonly #byServer = new Map<string, Gate>();

  /**
   * @param signal - ends the waiting
   * @returns to be called once when the request is over; undefined where there was no room before that
   */
  async enter(
    serverName: string,
    standing: Standing,
    signal: AbortSignal,
  ): Promise<(() => void) | undefined> {
    const own = this.#byServer.get(serverName) ?? new Gate(MOST_OF_ONE, MOST_WAITING_FOR_ONE);
    this.#byServer.set(serverName, own);
    const isDoubtful = standing === "failed" || (standing === "new" && !own.isIdle);
    const gates = [
      own,
      ...(isDoubtful ? [this.#doubtful] : []),
      ...(standing === "sound" ? [] : [this.#unproved]),
      this.#all,
    ];
    const left: (() => void)[] = [];
    const leave = () => {
      for (const one of left.reverse()) one();
      if (own.isIdle && this.#byServer.get(serverName) === own) this.#byServer.delete(serverName);
    };
    for (const gate of gates) {
      const out = await gate.enter(signal);
      if (out === undefined) {
        leave();
        return undefined;
      }
      left.push(out);
    }
    return leave;
  }
}
