/** What may be sent of a body before its reader has taken any of it. */
export const initialWindow = 64 * 1024;
/** A body that is read as fast as it comes gets a larger window, up to this: 28 MB/s over 35 milliseconds. */
export const maxWindow = 1024 * 1024;
/** By how much all windows of a session together may have grown. */
export const growthBudget = 4 * 1024 * 1024;

/**
 * What windows may grow by. There is no window for the session as a whole: readers that stand still would use it up,
 * and hold up all others. Instead a session grants no more than its streams' initial windows and this.
 */
export class Budget {
  #left = growthBudget;

  get left(): number {
    return this.#left;
  }

  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#left += bytes;
  }
}
