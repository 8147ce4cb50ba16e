import { type Nats, persist } from "../nats.ts";

/** Bytes of one message: half of what NATS takes when nothing else is configured. */
export const PIECE = 512 * 1024;

/** What is too large for one message, under `<subject>.<key>.<number>` of a stream. */
export type Pieces = {
  /** @returns how many there are, and the number in the stream of the first. All of them are stored then. */
  write(owner: string, key: string, bytes: Uint8Array): Promise<{ pieces: number; first: number }>;
  /** @returns undefined when one of them is not there */
  read(owner: string, key: string, pieces: number): Promise<Uint8Array | undefined>;
  /** Drops those under this key. */
  drop(owner: string, key: string): Promise<void>;
  /** Drops all of this owner with numbers below this one. */
  dropBefore(owner: string, first: number): Promise<void>;
};

export function openPieces({ jetstream, manager }: Nats, stream: string, subject: string): Pieces {
  const { streams } = manager;
  return {
    async write(owner, key, bytes) {
      const numbers: number[] = [];
      for (let from = 0; from < Math.max(1, bytes.length); from += PIECE) {
        const piece = bytes.subarray(from, from + PIECE);
        // Stored twice, the later one is read: they are the same.
        const place = `${subject}.${owner}.${key}.${numbers.length}`;
        const { seq } = await persist(() => jetstream.publish(place, piece));
        numbers.push(seq);
      }
      return { pieces: numbers.length, first: numbers[0] ?? 0 };
    },
    async read(owner, key, pieces) {
      const found: Uint8Array[] = [];
      for (let number = 0; number < pieces; number++) {
        const query = { last_by_subj: `${subject}.${owner}.${key}.${number}` };
        const message = await persist(() => streams.getMessage(stream, query));
        if (message === null) return undefined;
        found.push(message.data);
      }
      return join(found);
    },
    drop: async (owner, key) => {
      await persist(() => streams.purge(stream, { filter: `${subject}.${owner}.${key}.*` }));
    },
    dropBefore: async (owner, first) => {
      await persist(() => streams.purge(stream, { filter: `${subject}.${owner}.>`, seq: first }));
    },
  };
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
