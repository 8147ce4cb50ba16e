import { onTestFinished, vi } from "vitest";

/** A file's bytes, and those of them that are sure to be there after a power cut. */
type File = { bytes: Uint8Array<ArrayBuffer>; flushed: Uint8Array<ArrayBuffer>; isOpen: boolean };

/** The origin's own files, in memory: as a dedicated worker has them. */
export class OriginFiles {
  readonly #files = new Map<string, File>();
  /** Handles that are open. */
  #handles: Handle[] = [];
  /** What the next write throws, if anything. */
  failure: DOMException | undefined;
  /** The same of the next truncation. */
  truncateFailure: DOMException | undefined;

  /** Ends all who have files open. @param powerCut - what was not flushed is gone */
  crash(powerCut = false): void {
    for (const handle of this.#handles) handle.isDead = true;
    for (const file of this.#files.values()) {
      file.isOpen = false;
      if (powerCut) file.bytes = file.flushed.slice();
    }
    this.#handles = [];
  }

  /** Changes bytes of a file as a fault of the disk would. */
  spoil(name: string, change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>): void {
    const file = this.#files.get(name);
    if (file === undefined) throw new Error(`there is no file ${name}`);
    file.bytes = change(file.bytes);
    file.flushed = file.bytes.slice();
  }

  /** Bytes of all files. */
  get size(): number {
    return [...this.#files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  open(name: string): Handle {
    const file = this.#files.get(name) ?? {
      bytes: new Uint8Array(),
      flushed: new Uint8Array(),
      isOpen: false,
    };
    this.#files.set(name, file);
    if (file.isOpen) throw new DOMException("the file is open", "NoModificationAllowedError");
    file.isOpen = true;
    const handle = new Handle(file, this);
    this.#handles.push(handle);
    return handle;
  }
}

class Handle {
  readonly #file: File;
  readonly #files: OriginFiles;
  isDead = false;

  constructor(file: File, files: OriginFiles) {
    this.#file = file;
    this.#files = files;
  }

  getSize(): number {
    return this.#file.bytes.length;
  }

  read(into: Uint8Array, { at }: { at: number }): number {
    const part = this.#file.bytes.subarray(at, at + into.length);
    into.set(part);
    return part.length;
  }

  write(bytes: Uint8Array, { at }: { at: number }): number {
    this.#live();
    const { failure } = this.#files;
    this.#files.failure = undefined;
    // A disk may have taken some of it.
    const part = failure === undefined ? bytes : bytes.subarray(0, bytes.length / 2);
    const whole = new Uint8Array(Math.max(this.#file.bytes.length, at + part.length));
    whole.set(this.#file.bytes);
    whole.set(part, at);
    this.#file.bytes = whole;
    if (failure !== undefined) throw failure;
    return bytes.length;
  }

  truncate(size: number): void {
    this.#live();
    const { truncateFailure } = this.#files;
    this.#files.truncateFailure = undefined;
    if (truncateFailure !== undefined) throw truncateFailure;
    const whole = new Uint8Array(size);
    whole.set(this.#file.bytes.subarray(0, size));
    this.#file.bytes = whole;
  }

  flush(): void {
    this.#live();
    this.#file.flushed = this.#file.bytes.slice();
  }

  close(): void {
    this.#file.isOpen = false;
  }

  #live(): void {
    if (this.isDead) throw new Error("whoever had this file open is dead");
  }
}

/** Gives this test the origin's own files, which Node has not. */
export function originFiles(): OriginFiles {
  const files = new OriginFiles();
  class FakeFileHandle {
    readonly #name: string;
    constructor(name: string) {
      this.#name = name;
    }
    createSyncAccessHandle(): Promise<Handle> {
      return new Promise((resolve) => resolve(files.open(this.#name)));
    }
  }
  vi.stubGlobal("FileSystemFileHandle", FakeFileHandle);
  vi.stubGlobal("navigator", {
    storage: {
      getDirectory: () =>
        Promise.resolve({ getFileHandle: async (name: string) => new FakeFileHandle(name) }),
    },
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  return files;
}
