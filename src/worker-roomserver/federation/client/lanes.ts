import { Gate } from "./gate.ts";

/** Requests that one server is asked at a time; what it is slow with does not take the way from others. */
const MOST_OF_ONE = 8;
/** More than that wait for one server only where something has gone wrong. */
const MOST_WAITING_FOR_ONE = 500;
/**
 * Requests under way in all, of which a relay carries 64 for one node. Servers that have not answered yet, or not the last
 * time, have fewer, so that however many of them there are, others are asked as if they were not there.
 */
const MOST_SURE = 40;
const MOST_DOUBTFUL = 24;
const MOST_WAITING = 10_000;

/** Who may be asked now, and who waits. */
export class Lanes {
  readonly #sure = new Gate(MOST_SURE, MOST_WAITING);
  readonly #doubtful = new Gate(MOST_DOUBTFUL, MOST_WAITING);
  readonly #byServer = new Map<string, Gate>();

  /**
   * @param signal - ends the waiting
   * @returns to be called once when the request is over; undefined where there was no room before that
   */
  async enter(
    serverName: string,
    isDoubtful: boolean,
    signal: AbortSignal,
  ): Promise<(() => void) | undefined> {
    const gate = this.#byServer.get(serverName) ?? new Gate(MOST_OF_ONE, MOST_WAITING_FOR_ONE);
    this.#byServer.set(serverName, gate);
    const leaveServer = await gate.enter(signal);
    if (leaveServer === undefined) return undefined;
    const leaveAll = await (isDoubtful ? this.#doubtful : this.#sure).enter(signal);
    const leave = () => {
      leaveAll?.();
      leaveServer();
      if (gate.isIdle && this.#byServer.get(serverName) === gate) this.#byServer.delete(serverName);
    };
    if (leaveAll !== undefined) return leave;
    leave();
    return undefined;
  }
}
