import type { PduResults, TakeEdu } from "../api.ts";

/**
 * The end of an invite or knock of a room that this server is not in: a leave or a ban of one of its users, which another
 * server has sent as a PDU. Called with the event's text, of which nothing has been checked.
 * @returns whether it was such an end, and is known as that now
 */
export type TakeRescinded = (origin: string, text: string) => Promise<boolean>;

/** What others do with what comes. */
export type ReceiverTakers = { takeEdu: TakeEdu; rescinded: TakeRescinded };

/** Takes in what other servers have sent, which is in the inbox. */
export interface Receiver {
  /** Goes on with what waits, and takes in what comes from then on. */
  start(): Promise<void>;
  close(): void;
  /**
   * What became of a transaction that is in the inbox or has been taken.
   * @param withinMs - how long it is waited for, in milliseconds
   * @returns undefined if it has not been taken in by then: it will be
   */
  results(origin: string, transactionId: string, withinMs: number): Promise<PduResults | undefined>;
}
