/** Events and characters that are kept at a time. A room is told of by few servers while it is joined. */
const MOST = 500;
const MOST_LENGTH = 4 * 1024 * 1024;

export type ParkedOptions = {
  /** Resolves when no join of the room is under way. */
  joined: (roomId: string) => Promise<void>;
  /** Takes in what can be taken in by then. */
  take: (origin: string, texts: readonly string[]) => Promise<void>;
};

/**
 * Events of rooms that nobody from here is in, for as long as one of them is being joined: servers in it send its events
 * from the moment in which they have taken a join, before it is stored here. Nobody waits for that. They are in memory
 * alone: what is lost with it lacks then, as anything that did not come, and is asked for.
 */
export class ParkedEvents {
  readonly #options: ParkedOptions;
  /** By room and origin. */
  readonly #rooms = new Map<string, Map<string, string[]>>();
  #count = 0;
  #length = 0;

  constructor(options: ParkedOptions) {
    this.#options = options;
  }

  /** @param text - of an event; past what there is room for, it is let go */
  add(origin: string, roomId: string, text: string): void {
    if (this.#count >= MOST || this.#length + text.length > MOST_LENGTH) return;
    this.#count += 1;
    this.#length += text.length;
    const isFirst = !this.#rooms.has(roomId);
    const parked = this.#rooms.get(roomId) ?? new Map<string, string[]>();
    this.#rooms.set(roomId, parked);
    const texts = parked.get(origin) ?? [];
    parked.set(origin, texts);
    texts.push(text);
    if (!isFirst) return;
    this.#takeOnceJoined(roomId, parked).catch((error: unknown) => {
      console.error(`hearth: what came while ${roomId} was joined is not taken in`, error);
    });
  }

  async #takeOnceJoined(roomId: string, parked: ReadonlyMap<string, readonly string[]>): Promise<void> {
    try {
      await this.#options.joined(roomId);
    } finally {
      this.#rooms.delete(roomId);
      for (const text of [...parked.values()].flat()) {
        this.#count -= 1;
        this.#length -= text.length;
      }
    }
    for (const [origin, texts] of parked) await this.#options.take(origin, texts);
  }
}
