import { nuid } from "@nats-io/transport-node";
import { LinkError, type LinkHandler, type LinkRequest, type LinkResponse } from "../../../link/api.ts";
import type { Clock } from "../../../link/clock.ts";
import { FrameReader } from "../../../link/frame-reader.ts";
import { maxPayload } from "../../../link/frames.ts";
import { Session } from "../../../link/session/session.ts";
import { isSubject, onStatus } from "../connection.ts";
import type { Nats } from "../nats.ts";
import { type NatsChannel, natsChannel } from "./nats-channel.ts";

export type PeersOptions = {
  nats: Nats;
  /** Of this relay, known to nobody before it started. */
  self: string;
  /** Answers what other relays ask. */
  handler: LinkHandler;
  clock: Clock;
  log(error: unknown): void;
};

/** A relay that was cut off from the others without NATS seeing it is given up after so long, in milliseconds. */
const keepAlive = { silence: 10_000, patience: 5_000 };
/** Exchanges of one channel, above which another one is opened: a session of the link takes 128. */
const CROWDED = 64;
/** Channels to one relay. */
const CHANNELS = 32;
/** Milliseconds for another relay to open its end. */
const OPENING = 2_000;

/** Exchanges with the other relays of the cluster: what nodes and relays speak, over NATS. */
export class Peers {
  readonly #options: PeersOptions;
  readonly #open = new Map<string, Set<Session>>();
  readonly #opening = new Map<string, Promise<Session>>();
  readonly #channels = new Set<NatsChannel>();

  constructor(options: PeersOptions) {
    this.#options = options;
    const { nats, self, log } = options;
    nats.connection.subscribe(this.#door(self), {
      callback: (error, message) => {
        if (error) return log(error);
        const peer = message.string();
        if (!isSubject(peer)) return;
        const own = this.#newSubject();
        this.#start(own, peer, "relay");
        message.respond(own);
      },
    });
    // What was on its way is lost, in both directions.
    onStatus(nats.connection, "disconnect", () => {
      for (const channel of this.#channels) channel.fail("The connection to NATS broke.");
    });
  }

  /** @throws {LinkError} as a session does; untouched where that relay is not there */
  async request(relay: string, request: LinkRequest, signal: AbortSignal): Promise<LinkResponse> {
    const session = await this.#sessionWith(relay);
    return session.request(request, signal);
  }

  async close(): Promise<void> {
    const sessions = [...this.#open.values()].flatMap((some) => [...some]);
    await Promise.all(sessions.map((session) => session.close("The relay stops.", 0)));
    for (const channel of this.#channels) channel.close("The relay stops.");
  }

  #door(relay: string): string {
    return `${this.#options.nats.prefix}.relay.${relay}`;
  }

  #newSubject(): string {
    return `${this.#options.nats.prefix}.channel.${nuid.next()}`;
  }

  async #sessionWith(relay: string): Promise<Session> {
    const open = [...(this.#open.get(relay) ?? [])].sort((a, b) => a.use.asked - b.use.asked);
    const [least] = open;
    if (least !== undefined && (least.use.asked < CROWDED || open.length >= CHANNELS)) return least;
    const opening = this.#opening.get(relay) ?? this.#connect(relay);
    this.#opening.set(relay, opening);
    try {
      return await opening;
    } finally {
      this.#opening.delete(relay);
    }
  }

  async #connect(relay: string): Promise<Session> {
    const own = this.#newSubject();
    const { connection } = this.#options.nats;
    const answer = await connection.request(this.#door(relay), own, { timeout: OPENING }).catch((error) => {
      throw new LinkError(`The other relay does not answer: ${String(error)}`, true);
    });
    const session = this.#start(own, answer.string(), "node");
    const open = this.#open.get(relay) ?? new Set();
    this.#open.set(relay, open.add(session));
    void session.ended.then(() => {
      open.delete(session);
      if (open.size === 0 && this.#open.get(relay) === open) this.#open.delete(relay);
    });
    return session;
  }

  #start(own: string, peer: string, side: "node" | "relay"): Session {
    const { nats, handler, clock, log } = this.#options;
    const channel = natsChannel(nats.connection, own, peer);
    this.#channels.add(channel);
    const session = new Session({
      channel,
      frames: new FrameReader(channel.readable, maxPayload),
      writer: channel.writable.getWriter(),
      side,
      serverName: "",
      // Each asks over the channels that it has opened itself.
      handler: side === "relay" ? handler : async () => ({ status: 404, headers: [] }),
      clock,
      keepAlive,
      log,
    });
    void session.ended.then(() => this.#channels.delete(channel));
    return session;
  }
}
