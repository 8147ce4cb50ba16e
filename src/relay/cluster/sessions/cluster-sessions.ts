import type { Subscription } from "@nats-io/transport-node";
import { LinkError, type LinkHandler, type LinkRequest, type LinkResponse } from "../../../link/api.ts";
import type { Session } from "../../../link/session/session.ts";
import { ignoreFailure } from "../../body.ts";
import type { Sessions } from "../../sessions/api.ts";
import type { Nats } from "../nats.ts";
import { tokenOf } from "../tokens.ts";
import { Claims, type ClaimsOptions } from "./claims.ts";
import { Peers, type PeersOptions } from "./peers.ts";

/** The sessions of this relay: see sessions/registry.ts. */
export type LocalSessions = Sessions & {
  setAsleep(serverName: string, asleep: boolean): void;
  moveAway(session: Session): void;
};

type Options = Omit<PeersOptions & ClaimsOptions, "handler" | "moved"> & { nats: Nats };

/** Between relays, the first header of a request: whose session is meant. */
const NODE = "x-hearth-cluster-node";
/** The first one of an answer: whether it is one of the node. */
const ROUTE = "x-hearth-cluster-route";
/** Milliseconds to find a session: with none anywhere, NATS says so at once. */
const FINDING = 500;

/**
 * Sessions of all relays. The relay that has a node's session listens under a subject of that node while it is awake, so
 * that nobody has to keep a list: with the relay, or its connection, that interest is gone.
 */
export class ClusterSessions implements Sessions {
  readonly #options: Options;
  readonly #peers: Peers;
  readonly #claims: Claims;
  readonly #awake = new Map<string, Subscription>();
  #local: LocalSessions | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#peers = new Peers({ ...options, handler: this.#answerPeer });
    this.#claims = new Claims({ ...options, moved: (session) => this.#local?.moveAway(session) });
  }

  /** Before the first session opens. The registry's `opened` and `changed` are to call those of this class. */
  join(local: LocalSessions): void {
    this.#local = local;
  }

  opened(session: Session): void {
    void this.#claims.opened(session);
  }

  changed(serverName: string, awake: boolean): void {
    const { nats, self, log } = this.#options;
    this.#awake.get(serverName)?.unsubscribe();
    this.#awake.delete(serverName);
    if (!awake || nats.connection.isClosed()) return;
    const callback = (error: Error | null, message: { respond(text: string): boolean }) =>
      error ? log(error) : void message.respond(self);
    this.#awake.set(serverName, nats.connection.subscribe(this.#subject(serverName), { callback }));
  }

  async isAwake(serverName: string): Promise<boolean> {
    if (await this.#local?.isAwake(serverName)) return true;
    return (await this.#find(serverName)) !== undefined;
  }

  setAsleep(serverName: string, asleep: boolean): void {
    this.#local?.setAsleep(serverName, asleep);
  }

  async forward(
    serverName: string,
    request: LinkRequest,
    signal: AbortSignal,
  ): Promise<LinkResponse | undefined> {
    if (await this.#local?.isAwake(serverName)) {
      const answer = await this.#local?.forward(serverName, request, signal);
      // A body is gone, and cannot be sent again.
      if (answer !== undefined || request.body !== undefined) return answer;
    }
    const relay = await this.#find(serverName);
    if (relay === undefined) return undefined;
    signal.throwIfAborted();
    const headers = [[NODE, serverName] as const, ...request.headers];
    try {
      const answer = await this.#peers.request(relay, { ...request, headers }, signal);
      const [[name, route] = ["", ""], ...rest] = answer.headers;
      if (name === ROUTE && route === "node") return { ...answer, headers: rest };
      if (answer.body !== undefined) ignoreFailure(answer.body.cancel("It is not the node's."));
      return undefined;
    } catch (error) {
      if (error instanceof LinkError) return undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const subscription of this.#awake.values()) subscription.unsubscribe();
    this.#awake.clear();
    await this.#peers.close();
  }

  /** Another relay asks for a node whose session is here. It is not passed on: two could do so for ever. */
  readonly #answerPeer: LinkHandler = async (request, signal) => {
    const [[name, serverName] = ["", ""], ...headers] = request.headers;
    const away = { status: 404, headers: [[ROUTE, "away"]] as const };
    if (name !== NODE || this.#local === undefined) return away;
    const answer = await this.#local.forward(serverName, { ...request, headers }, signal);
    if (answer !== undefined) return { ...answer, headers: [[ROUTE, "node"], ...answer.headers] };
    if (request.body?.locked === false) ignoreFailure(request.body.cancel("The node is away."));
    return away;
  };

  async #find(serverName: string): Promise<string | undefined> {
    const { nats, self } = this.#options;
    try {
      const answer = await nats.connection.request(this.#subject(serverName), "", { timeout: FINDING });
      const relay = answer.string();
      return relay === self ? undefined : relay;
    } catch {
      // Nobody has it, or nobody can be asked: the node cannot be reached then, and the mailbox takes what is for it.
      return undefined;
    }
  }

  #subject(serverName: string): string {
    return `${this.#options.nats.prefix}.session.${tokenOf(serverName)}`;
  }
}
