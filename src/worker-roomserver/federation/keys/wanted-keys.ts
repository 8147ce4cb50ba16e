/** A key by its id as of a time; 0 where the room version does not ask when. */
type FindKey = (keyId: string, at: number) => Uint8Array | undefined;

/** The keys that the signatures of some events were made with, and those that have been found. */
export class WantedKeys {
  /** By server name and key id, the times at which it signed (milliseconds since 1970). */
  readonly #wanted = new Map<string, Map<string, Set<number>>>();
  readonly #found = new Map<string, Uint8Array>();
  /** Servers of which each event that was asked for has a key. */
  readonly #settled = new Set<string>();

  want(serverName: string, keyId: string, at: number): void {
    const keys = this.#wanted.get(serverName) ?? new Map<string, Set<number>>();
    this.#wanted.set(serverName, keys.set(keyId, (keys.get(keyId) ?? new Set()).add(at)));
  }

  get servers(): string[] {
    return [...this.#wanted.keys()];
  }

  /** The ids of a server's keys, each with the latest time that is wanted. */
  of(serverName: string): ReadonlyMap<string, number> {
    const keys = [...(this.#wanted.get(serverName) ?? [])];
    return new Map(keys.map(([keyId, times]) => [keyId, [...times].reduce((a, b) => Math.max(a, b))]));
  }

  settle(serverName: string, find: FindKey): void {
    let isSettled = true;
    for (const [keyId, times] of this.#wanted.get(serverName) ?? []) {
      for (const at of times) {
        const key = find(keyId, at);
        if (key === undefined) isSettled = false;
        else this.#found.set(nameOf(serverName, keyId, at), key);
      }
    }
    if (isSettled) this.#settled.add(serverName);
  }

  isSettled(serverName: string): boolean {
    return this.#settled.has(serverName);
  }

  key(serverName: string, keyId: string, at: number): Uint8Array | undefined {
    return this.#found.get(nameOf(serverName, keyId, at));
  }
}

const nameOf = (serverName: string, keyId: string, at: number) => `${serverName} ${keyId} ${at}`;
