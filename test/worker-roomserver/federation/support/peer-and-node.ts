import { vi } from "vitest";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import type { ReceivedEvent } from "../../../../src/matrix/received-event.ts";
import type { DeviceRequester } from "../../../../src/worker-roomserver/node/requester.ts";
import type { StoredEvent } from "../../../../src/worker-roomserver/room/api.ts";
import { registerAt } from "../../support/node.ts";
import { type FederatedNode, federatedNode } from "./federated-node.ts";
import { TestNetwork } from "./network.ts";
import { Peer, type TransactionParts } from "./peer.ts";
import type { PeerEvent, PeerRoom, PeerRoomOptions } from "./peer-room.ts";

/** A peer's room in which alice of a node is. The node knows it as the answer to a join would have told it. */
export class PeerAndNode {
  readonly network: TestNetwork;
  readonly peer: Peer;
  readonly room: PeerRoom;
  readonly alice: DeviceRequester;
  a: FederatedNode;

  constructor(
    world: { network: TestNetwork; peer: Peer; room: PeerRoom; alice: DeviceRequester },
    a: FederatedNode,
  ) {
    this.network = world.network;
    this.peer = world.peer;
    this.room = world.room;
    this.alice = world.alice;
    this.a = a;
  }

  static async open(options: Partial<PeerRoomOptions> & { before?: number } = {}): Promise<PeerAndNode> {
    const network = new TestNetwork();
    const a = await federatedNode(network);
    const peer = await Peer.open(network);
    const { before = 0, ...roomOptions } = options;
    const room = await peer.createRoom(roomOptions);
    for (let i = 0; i < before; i++) await say(room, `before ${i}`);
    const alice = await registerAt(a.node, "alice");
    const world = new PeerAndNode({ network, peer, room, alice }, a);
    await world.join(alice.userId);
    return world;
  }

  async join(userId: string): Promise<void> {
    const { room } = this;
    const event = await room.send({
      ...{ type: "m.room.member", sender: userId, state_key: userId, content: { membership: "join" } },
    });
    const state = room.stateBefore(event.eventId);
    await this.a.node.roomInput.takeInRoom({
      version: room.version,
      event: event as ReceivedEvent,
      state: state as ReceivedEvent[],
      authChain: room.authChain([...state, event]) as ReceivedEvent[],
    });
  }

  say(body: string, more: Parameters<typeof say>[2] = {}): Promise<PeerEvent> {
    return say(this.room, body, more);
  }

  /** Sends a transaction, and sends it again until the node says what became of it. */
  async send(parts: TransactionParts): Promise<JsonObject> {
    const transaction = { transactionId: crypto.randomUUID(), ...parts };
    const wanted = parts.pdus?.length ?? 0;
    return vi.waitFor(async () => {
      const { status, json } = await this.peer.sendTransaction(this.a.serverName, transaction);
      const pdus = json.pdus as JsonObject | undefined;
      if (status !== 200 || pdus === undefined) throw new Error(JSON.stringify(json));
      if (wanted > 0 && Object.keys(pdus).length === 0) throw new Error("not taken in yet");
      return pdus;
    }, 5_000);
  }

  stored(eventId: string): Promise<StoredEvent | undefined> {
    return this.a.node.roomQueries.eventsById([eventId]).then(([event]) => event);
  }

  /** Waits until the node has an event in its place. */
  async arrived({ eventId }: { eventId: string }): Promise<StoredEvent> {
    return vi.waitFor(async () => {
      const event = await this.stored(eventId);
      if (event === undefined || event.isOutlier) throw new Error(`${eventId} has not arrived`);
      return event;
    }, 10_000);
  }

  /** Bodies of the messages that alice is shown, the oldest first. */
  async shown(limit = 1000): Promise<string[]> {
    const bytes = await this.a.node.room.messages(this.alice, this.room.roomId, {
      ...{ dir: "b", limit, filter: { types: ["m.room.message"] } },
    });
    const { chunk } = JSON.parse(new TextDecoder().decode(bytes)) as {
      chunk: { content: { body?: string } }[];
    };
    return chunk.map(({ content }) => content.body ?? "(redacted)").reverse();
  }

  /** What the node has asked about rooms, as method and path without the query. */
  asked(): string[] {
    const questions =
      /^\/_matrix\/federation\/v1\/(get_missing_events|event|event_auth|state|state_ids|backfill)\//;
    return this.network.carried
      .filter(({ from, uri }) => from === this.a.serverName && questions.test(uri))
      .map(({ method, uri }) => `${method} ${decodeURIComponent(uri.split("?")[0] ?? "")}`);
  }

  async waitingEvents(): Promise<number> {
    return (await this.a.node.storage.getAllKeys("waitingEvents")).length;
  }
}

export const say = (room: PeerRoom, body: string, more: Partial<Parameters<PeerRoom["send"]>[0]> = {}) =>
  room.send({ type: "m.room.message", content: { msgtype: "m.text", body }, ...more });
