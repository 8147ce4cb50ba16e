type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes of a stream up to marks in it, however it is cut into chunks. Holds one chunk and what may be part of a mark. */
export class ByteSource {
  readonly #reader: ReadableStreamDefaultReader<Bytes>;
  #rest: Bytes;

  /** @param before - is read before the stream */
  constructor(stream: ReadableStream<Bytes>, before: Bytes) {
    this.#reader = stream.getReader();
    this.#rest = before;
  }

  /**
   * What comes before the next mark, in chunks. The mark is taken too.
   * @returns whether there was one: false at the end of the stream
   * @throws what the stream fails with
   */
  async *until(mark: Bytes): AsyncGenerator<Bytes, boolean> {
    for (;;) {
      const at = indexOf(this.#rest, mark);
      if (at !== -1) {
        const before = this.#rest.subarray(0, at);
        this.#rest = this.#rest.subarray(at + mark.length);
        if (before.length > 0) yield before;
        return true;
      }
      // The mark may have begun in what is there.
      const sure = Math.max(0, this.#rest.length - mark.length + 1);
      if (sure > 0) {
        const before = this.#rest.subarray(0, sure);
        this.#rest = this.#rest.subarray(sure);
        yield before;
      }
      const { done, value } = await this.#reader.read();
      if (done) return false;
      this.#rest = joined(this.#rest, value);
    }
  }

  /** The same as one; undefined where no mark comes, or not within so many bytes. */
  async take(mark: Bytes, most: number): Promise<Bytes | undefined> {
    let taken: Bytes = new Uint8Array(0);
    const chunks = this.until(mark);
    for (;;) {
      const { done, value } = await chunks.next();
      if (done) return value ? taken : undefined;
      if (taken.length + value.length > most) return undefined;
      taken = joined(taken, value);
    }
  }

  /** Nothing more is wanted. */
  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }
}

function joined(one: Bytes, other: Bytes): Bytes {
  if (one.length === 0) return other;
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

function indexOf(bytes: Bytes, mark: Bytes): number {
  const last = bytes.length - mark.length;
  for (let at = bytes.indexOf(mark[0]!); at !== -1 && at <= last; at = bytes.indexOf(mark[0]!, at + 1)) {
    if (mark.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}
