import { type Remote, wrap } from "comlink";
import type { Node } from "../worker-roomserver/node/api.ts";
import { unavailable } from "./answer.ts";

export type WorkerLinkOptions = {
  /** Asks all open tabs for a port: the leading one answers through `offer`. */
  askForPort: () => void;
  /** Milliseconds that a call waits for a leader before it is answered 503. */
  patience: number;
  /** Milliseconds after which a leader that owes answers is asked whether it is still there. */
  pingAfter: number;
};

type Leader = {
  epoch: number;
  port: MessagePort;
  remote: Remote<Node>;
  /** Ends each call that is under way, so that it can be sent to the next leader. */
  calls: Set<(gone: LeaderGone) => void>;
  /** How many turns of the watch have passed without a sign of life. */
  silence: number;
  watch: ReturnType<typeof setTimeout> | undefined;
};

type Waiter = {
  resolve: (leader: Leader) => void;
  reject: (error: Error) => void;
  timer: ReturnType<typeof setTimeout>;
};

class LeaderGone extends Error {
  override readonly name = "LeaderGone";
}

/** How often one call is sent again before it is given up: a request that brings each leader down must end. */
const maxSends = 5;
/** Turns of the watch: one to be asked, one more for its tab to speak for it. */
const silentTurns = 2;

const components = {
  users: true,
  oauth: true,
  room: true,
  roomDirectory: true,
  roomInput: true,
  roomQueries: true,
  roomConsole: true,
  sync: true,
  accountData: true,
  typing: true,
  receipts: true,
  presence: true,
  push: true,
  toDevice: true,
  keyBackup: true,
  appServices: true,
  media: true,
  mediaConsole: true,
  keys: true,
  settings: true,
  reports: true,
  voip: true,
  oldSync: true,
  search: true,
  userDirectory: true,
  relays: true,
  federation: true,
  usersConsole: true,
  monitor: true,
  console: true,
} as const satisfies Record<Exclude<keyof Node, "info">, true>;

/**
 * The service worker's side of the link to whichever tab leads. Calls on `node` are sent to the leader's worker;
 * when it dies they are sent again, unchanged, to the next one, which knows by the request's id (or transaction
 * id) whether it has been carried out already. So a call is answered once, or 503 when there is no leader.
 */
export class WorkerLink {
  readonly node: Node;
  readonly #options: WorkerLinkOptions;
  readonly #waiters = new Set<Waiter>();
  #leader: Leader | undefined;
  /** A port of a lower epoch leads to somebody who has lost the lead. */
  #lowestEpoch = 0;

  constructor(options: WorkerLinkOptions) {
    this.#options = options;
    this.node = this.#proxy();
  }

  /**
   * Takes a port to a worker that leads. One of the present leader shows that it lives; one of a higher epoch
   * takes its place.
   */
  offer(port: MessagePort, epoch: number): void {
    if (this.#leader?.epoch === epoch) this.#leader.silence = 0;
    if (epoch < this.#lowestEpoch || (this.#leader !== undefined && epoch <= this.#leader.epoch)) {
      port.close();
      return;
    }
    const leader: Leader = {
      epoch,
      port,
      remote: wrap<Node>(port),
      calls: new Set(),
      silence: 0,
      watch: undefined,
    };
    // A dead worker's epoch binds nobody: after the database was deleted they begin anew.
    port.addEventListener("close", () => this.#lose(leader, 0));
    port.start();
    if (this.#leader !== undefined) this.#lose(this.#leader, epoch);
    this.#leader = leader;
    this.#lowestEpoch = epoch;
    for (const waiter of this.#waiters) {
      clearTimeout(waiter.timer);
      waiter.resolve(leader);
    }
    this.#waiters.clear();
  }

  async #call(path: readonly string[], args: readonly unknown[]): Promise<unknown> {
    for (let sends = 0; sends < maxSends; sends++) {
      const leader = this.#leader ?? (await this.#nextLeader());
      try {
        return await this.#send(leader, path, args);
      } catch (error) {
        const name = error instanceof Error ? error.name : "";
        if (name === "LeaderFenced") this.#lose(leader, leader.epoch + 1);
        // CommitSuperseded: nothing was written, and it may be tried again.
        else if (name !== "LeaderGone" && name !== "CommitSuperseded") throw error;
      }
    }
    throw unavailable("This homeserver could not finish the request. Please try again.");
  }

  #send(leader: Leader, path: readonly string[], args: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      leader.calls.add(reject);
      const settled = () => {
        leader.calls.delete(reject);
        leader.silence = 0;
      };
      remoteMethod(
        leader.remote,
        path,
      )(...args).then(
        (value) => {
          settled();
          resolve(value);
        },
        (error: Error) => {
          settled();
          reject(error);
        },
      );
      this.#watch(leader);
    });
  }

  #nextLeader(): Promise<Leader> {
    const first = this.#waiters.size === 0;
    const next = new Promise<Leader>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(unavailable("No open tab runs this homeserver at the moment. Please try again."));
      }, this.#options.patience);
      const waiter = { resolve, reject, timer };
      this.#waiters.add(waiter);
    });
    if (first) this.#options.askForPort();
    return next;
  }

  #lose(leader: Leader, lowestEpoch: number): void {
    clearTimeout(leader.watch);
    leader.port.close();
    if (this.#leader === leader) {
      this.#leader = undefined;
      this.#lowestEpoch = lowestEpoch;
    }
    const gone = new LeaderGone("The tab that led has gone.");
    for (const end of leader.calls) end(gone);
    leader.calls.clear();
  }

  /** Where nothing else tells that a leader is gone: while it owes answers, it must show that it lives. */
  #watch(leader: Leader): void {
    leader.watch ??= setTimeout(() => {
      leader.watch = undefined;
      if (leader.calls.size === 0 || this.#leader !== leader) return;
      if (leader.silence === silentTurns) return this.#lose(leader, leader.epoch);
      // Its worker may only be busy: then its tab can still say that it is there.
      if (leader.silence > 0) this.#options.askForPort();
      leader.silence += 1;
      void leader.remote.info().then(
        () => {
          leader.silence = 0;
        },
        () => {
          leader.silence = 0; // an error is an answer as well
        },
      );
      this.#watch(leader);
    }, this.#options.pingAfter);
  }

  #proxy(): Node {
    const methodsOf = (component: string) =>
      new Proxy(
        {},
        {
          get:
            (_, method) =>
            (...args: unknown[]) =>
              this.#call([component, String(method)], args),
        },
      );
    const members = Object.keys(components).map((component) => [component, methodsOf(component)] as const);
    return { info: () => this.#call(["info"], []), ...Object.fromEntries(members) } as Node;
  }
}

type RemoteMethod = (...args: unknown[]) => Promise<unknown>;

function remoteMethod(remote: Remote<Node>, path: readonly string[]): RemoteMethod {
  // Comlink's proxies make every member and every path of them a remote method.
  let member = remote as unknown as Record<string, unknown>;
  for (const name of path) member = member[name] as Record<string, unknown>;
  return member as unknown as RemoteMethod;
}
