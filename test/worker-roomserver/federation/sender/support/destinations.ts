import type { DestinationState, Destinations } from "../../../../../src/worker-roomserver/federation/api.ts";

/** Servers that failed are left alone until somebody says otherwise; nothing here goes by a clock. */
export class TestDestinations implements Destinations {
  /** What `failingSince` of servers that fail is. */
  failingSince = 1;
  readonly #states = new Map<string, DestinationState>();
  readonly #ready = new Set<(serverName: string) => void>();
  readonly #notAsked = new Set<string>();

  #state(serverName: string): DestinationState {
    const fresh = { failures: 0, failingSince: 0, retryAt: 0, lastSuccess: 0, lastError: "" };
    return this.#states.get(serverName) ?? { serverName, ...fresh };
  }

  async state(serverName: string): Promise<DestinationState> {
    return this.#state(serverName);
  }

  async isReady(serverName: string): Promise<boolean> {
    return this.#state(serverName).retryAt === 0;
  }

  succeeded(serverName: string): void {
    const state = { failures: 0, failingSince: 0, retryAt: 0, lastSuccess: 1, lastError: "" };
    this.#states.set(serverName, { serverName, ...state });
  }

  failed(serverName: string, lastError: string): void {
    const { failures, ...state } = this.#state(serverName);
    const failingSince = state.failingSince || this.failingSince;
    this.#states.set(serverName, { ...state, failures: failures + 1, failingSince, retryAt: 1, lastError });
  }

  notAsked(serverName: string): void {
    this.#notAsked.add(serverName);
  }

  wayIsOpen(): void {
    for (const serverName of [...this.#notAsked]) for (const call of this.#ready) call(serverName);
    this.#notAsked.clear();
  }

  heardFrom(serverName: string): void {
    this.#states.set(serverName, { ...this.#state(serverName), retryAt: 0 });
    for (const call of this.#ready) call(serverName);
  }

  retryNow(serverName: string): void {
    this.heardFrom(serverName);
  }

  onReady(call: (serverName: string) => void): () => void {
    this.#ready.add(call);
    return () => this.#ready.delete(call);
  }

  async all(): Promise<DestinationState[]> {
    return [...this.#states.values()].sort((a, b) => (a.serverName < b.serverName ? -1 : 1));
  }
}
