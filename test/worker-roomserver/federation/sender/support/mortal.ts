import type { FederationClient } from "../../../../../src/worker-roomserver/federation/api.ts";
import type { Storage } from "../../../../../src/worker-roomserver/storage/api.ts";

const never = () => new Promise<never>(() => undefined);

/** How many steps a leader has to live: each time that it waits for something, and each time that this comes. */
export class Life {
  #left: number;

  constructor(steps: number) {
    this.#left = steps;
  }

  get isOver(): boolean {
    return this.#left <= 0;
  }

  /** @returns whether it lives on */
  step(): boolean {
    this.#left -= 1;
    return !this.isOver;
  }

  /** Something that is waited for: it may not be begun any more, or be done and nobody hears of that. */
  async spend<T>(begin: () => Promise<T>): Promise<T> {
    if (!this.step()) return never();
    const result = await begin();
    return this.step() ? result : never();
  }
}

/** A storage as a leader sees it whose tab may be closed at any moment. */
export function mortal(storage: Storage, life: Life): Storage {
  return new Proxy(storage, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      const call = (...args: unknown[]): unknown => Reflect.apply(member, target, args);
      if (name === "onEntries" || name === "onRollback") return call;
      return (...args: unknown[]) => life.spend(async () => call(...args));
    },
  });
}

export const mortalClient = (client: FederationClient, life: Life): FederationClient => ({
  request: (request) => life.spend(() => client.request(request)),
  stream: (request) => life.spend(() => client.stream(request)),
});
