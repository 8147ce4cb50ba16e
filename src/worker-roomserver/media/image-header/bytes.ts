/** The bytes end before what is looked for: with more of them it may be found. */
export class MoreNeeded extends Error {}

/** Reads numbers and names from the first bytes of a file. What lies past them is asked for by `MoreNeeded`. */
export class Bytes {
  readonly #view: DataView;
  /** Whether the file is longer than what is here. */
  readonly #hasMore: boolean;

  constructor(bytes: Uint8Array, hasMore: boolean) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#hasMore = hasMore;
  }

  get length(): number {
    return this.#view.byteLength;
  }

  u8(at: number): number {
    this.#need(at, 1);
    return this.#view.getUint8(at);
  }

  u16(at: number, littleEndian = false): number {
    this.#need(at, 2);
    return this.#view.getUint16(at, littleEndian);
  }

  u24le(at: number): number {
    return this.u16(at, true) | (this.u8(at + 2) << 16);
  }

  u32(at: number, littleEndian = false): number {
    this.#need(at, 4);
    return this.#view.getUint32(at, littleEndian);
  }

  /** Four characters, or as many as asked for. */
  text(at: number, length = 4): string {
    let text = "";
    for (let i = 0; i < length; i++) text += String.fromCharCode(this.u8(at + i));
    return text;
  }

  has(at: number, text: string): boolean {
    return at + text.length <= this.length && this.text(at, text.length) === text;
  }

  #need(at: number, count: number): void {
    if (at >= 0 && at + count <= this.length) return;
    if (this.#hasMore) throw new MoreNeeded();
    throw new RangeError("The file ends too early.");
  }
}
