import { type Authorize, acceptLink, turnAway } from "../../link/accept-link.ts";
import {
  type ByteChannel,
  type ChannelKind,
  LinkError,
  type LinkRequest,
  type LinkResponse,
} from "../../link/api.ts";
import type { Clock } from "../../link/clock.ts";
import type { Session } from "../../link/session/session.ts";
import type { Ed25519 } from "../../matrix/ed25519.ts";
import type { Sessions } from "./api.ts";

export type SessionsOptions = {
  /** What nodes sign: they mean this relay and no other. */
  relayName: string;
  ed25519: Ed25519;
  authorize: Authorize;
  /** Answers what a node asks of its relay. */
  handler(serverName: string, request: LinkRequest, signal: AbortSignal): Promise<LinkResponse>;
  clock: Clock;
  limits: SessionLimits;
  /** Errors of handlers and of bodies. */
  log(error: unknown): void;
  /** A node can be reached here from now on, or cannot any more. */
  changed?(serverName: string, awake: boolean): void;
  /** A session has opened, which may have taken the place of another one here. Called before `changed`. */
  opened?(link: Session): void;
};

export type SessionLimits = {
  /** Sessions that are open. An idle one costs some 60 kB over WebSocket, some 125 kB over WebTransport. */
  sessions: number;
  /** Connections whose nodes have not proved themselves yet: strangers all of them. */
  handshakes: number;
  /** And of these, from one address. */
  handshakesPerAddress: number;
};

export const defaultSessionLimits: SessionLimits = {
  sessions: 10_000,
  handshakes: 512,
  handshakesPerAddress: 32,
};

/** Counted since the start, but for `open` and `handshakes`, which are as they are now. */
export type SessionCounters = {
  open: { [kind in ChannelKind]: number };
  handshakes: number;
  opened: { [kind in ChannelKind]: number };
  /** Connections whose handshake came to no session. */
  failed: number;
  /** Turned away before, as there were too many. */
  turnedAway: number;
  /** Sessions whose place another one of the same server took. */
  moved: number;
};

/** A node pings when it has heard nothing for 20 seconds: one that is silent for three times that is frozen or gone. */
const keepAlive = { silence: 45_000, patience: 15_000 };
/** How long exchanges of a session may go on after another one has taken its place. */
const movedGrace = 30_000;

type Entry = { link: Session; asleep: boolean };

/** The sessions of this relay. At most one of each server is used: the one that was opened last. */
export class SessionRegistry implements Sessions {
  readonly counters: SessionCounters = {
    open: { webtransport: 0, websocket: 0, fetch: 0 },
    handshakes: 0,
    opened: { webtransport: 0, websocket: 0, fetch: 0 },
    failed: 0,
    turnedAway: 0,
    moved: 0,
  };
  readonly #options: SessionsOptions;
  readonly #entries = new Map<string, Entry>();
  /** All that are open, those whose place was taken included. */
  readonly #links = new Set<Session>();
  readonly #shaking = new Map<string, number>();
  #stopped: string | undefined;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /**
   * Runs a session over a connection that somebody has opened, until it ends. Never fails.
   * @param address - where it comes from, without the port
   */
  async accept(channel: ByteChannel, address: string): Promise<void> {
    const { relayName, ed25519, authorize, handler, clock, log } = this.#options;
    const full = this.#reasonToTurnAway(address);
    if (full !== undefined) {
      this.counters.turnedAway++;
      turnAway(channel, clock, full);
      return;
    }
    this.#countHandshake(address, 1);
    let name = "";
    const options = {
      channel,
      handler: (request: LinkRequest, signal: AbortSignal) => handler(name, request, signal),
      clock,
      keepAlive,
      log,
    };
    const { link, end } = await acceptLink(options, relayName, ed25519, authorize);
    this.#countHandshake(address, -1);
    if (end !== undefined) {
      this.counters.failed++;
      return;
    }
    name = link.serverName;
    await this.#run(link);
  }

  async isAwake(serverName: string): Promise<boolean> {
    return this.#entries.get(serverName)?.asleep === false;
  }

  async forward(
    serverName: string,
    request: LinkRequest,
    signal: AbortSignal,
  ): Promise<LinkResponse | undefined> {
    for (;;) {
      const entry = this.#entries.get(serverName);
      if (entry === undefined || entry.asleep) return undefined;
      try {
        return await entry.link.request(request, signal);
      } catch (error) {
        if (!(error instanceof LinkError)) throw error;
        // A better session may have come meanwhile. A body is gone, and cannot be sent again.
        const moved = this.#entries.get(serverName) !== entry;
        if (!error.untouched || !moved || request.body !== undefined) return undefined;
      }
    }
  }

  /** What the node has said of itself. A session that opens is awake. */
  setAsleep(serverName: string, asleep: boolean): void {
    const entry = this.#entries.get(serverName);
    if (entry === undefined || entry.asleep === asleep) return;
    entry.asleep = asleep;
    this.#options.changed?.(serverName, !asleep);
  }

  /** Another relay has a session of this server that was opened later: this one is used no more, if it still is. */
  moveAway(link: Session): void {
    const { serverName } = link;
    const entry = this.#entries.get(serverName);
    if (entry?.link !== link) return;
    this.#entries.delete(serverName);
    this.counters.moved++;
    link.closeAs({ kind: "moved", reason: "A session at another relay took its place." }, movedGrace);
    if (!entry.asleep) this.#options.changed?.(serverName, false);
  }

  /** Takes no more sessions and lets those that are open end what is under way, for so many milliseconds at most. */
  async close(reason: string, grace: number): Promise<void> {
    this.#stopped = reason;
    await Promise.all([...this.#links].map((link) => link.close(reason, grace)));
  }

  async #run(link: Session): Promise<void> {
    const { serverName, kind } = link;
    const before = this.#entries.get(serverName);
    const entry: Entry = { link, asleep: false };
    this.#entries.set(serverName, entry);
    this.#links.add(link);
    this.counters.opened[kind]++;
    this.counters.open[kind]++;
    if (before !== undefined) {
      this.counters.moved++;
      before.link.closeAs(
        { kind: "moved", reason: "Another session of the same server took its place." },
        movedGrace,
      );
    }
    this.#options.opened?.(link);
    if (before?.asleep !== false) this.#options.changed?.(serverName, true);
    // Stopped while it shook hands.
    if (this.#stopped !== undefined) link.closeAs({ kind: "closed", reason: this.#stopped }, 0);
    await link.ended;
    this.#links.delete(link);
    this.counters.open[kind]--;
    if (this.#entries.get(serverName) !== entry) return;
    this.#entries.delete(serverName);
    if (!entry.asleep) this.#options.changed?.(serverName, false);
  }

  #reasonToTurnAway(address: string): string | undefined {
    const { sessions, handshakes, handshakesPerAddress } = this.#options.limits;
    if (this.#stopped !== undefined) return this.#stopped;
    if (this.#links.size >= sessions) return "This relay is full.";
    if (this.counters.handshakes >= handshakes) return "This relay is busy.";
    if ((this.#shaking.get(address) ?? 0) >= handshakesPerAddress) {
      return "Too many connections from one address at once.";
    }
    return undefined;
  }

  #countHandshake(address: string, by: 1 | -1): void {
    this.counters.handshakes += by;
    const count = (this.#shaking.get(address) ?? 0) + by;
    if (count > 0) this.#shaking.set(address, count);
    else this.#shaking.delete(address);
  }
}
