import { encodeUtf8 } from "../../../src/matrix/utf8.ts";
import type { Egress } from "../../../src/worker-roomserver/egress/api.ts";
import type { Means } from "../../room-server/worker/means.ts";
import { memberRoom } from "../../room-server/worker/rooms.ts";
import type { Servers } from "../../room-server/worker/servers.ts";
import type { ManyServersTimes } from "../results.ts";
import { andAny, discard, enter, openWhole, register } from "./whole-node.ts";

type Many = { servers: number; hanging: number; answerMs: number };

/** The first message to a room of many servers, which a node has never spoken with. */
export async function manyServers(means: Means, many: Many): Promise<ManyServersTimes> {
  return { without: await firstMessage(means, many, false), with: await firstMessage(means, many, true) };
}

async function firstMessage({ servers, ed25519 }: Means, many: Many, doHang: boolean): Promise<number> {
  const any = andAny(servers);
  const far: Servers = { at: (number) => `far${number % many.servers}.example`, keyOf: any.keyOf };
  const dbName = `node-${crypto.randomUUID()}`;
  const network = new Network(many, doHang);
  const node = await openWhole(dbName, network);
  const alice = await register(node);
  const room = await memberRoom(far, many.servers);
  await enter(node, alice, room, { servers: far, ed25519 });
  await node.startFederation();
  const started = performance.now();
  await node.room.sendEvent(alice, {
    ...{ roomId: room.branch.roomId, type: "m.room.message", txnId: "1" },
    content: { msgtype: "m.text", body: "hello" },
  });
  await network.delivered;
  const ms = performance.now() - started;
  network.letGo();
  await discard(node, dbName);
  return ms;
}

/** Servers that answer after a while, of which the first never do if they are to hang. */
class Network implements Egress {
  readonly delivered: Promise<void>;
  readonly #many: Many;
  readonly #doHang: boolean;
  readonly #got = new Set<number>();
  readonly #hanging: (() => void)[] = [];
  #allGot: () => void = () => undefined;

  constructor(many: Many, doHang: boolean) {
    this.#many = many;
    this.#doHang = doHang;
    this.delivered = new Promise((resolve) => {
      this.#allGot = resolve;
    });
  }

  async fetch({ url }: { url: string }, { body }: { body?: string }): ReturnType<Egress["fetch"]> {
    const { servers, hanging, answerMs } = this.#many;
    const number = Number(/^matrix:\/\/far(\d+)\./.exec(url)?.[1] ?? Number.NaN);
    // Every fourth of two hundred, so that they come among the others.
    const isOfThose = number % Math.floor(servers / hanging) === 0;
    if (isOfThose && this.#doHang) {
      await new Promise<void>((resolve) => this.#hanging.push(resolve));
      return { failure: "timeout", why: "It hung." };
    }
    await new Promise((resolve) => setTimeout(resolve, answerMs));
    if (body?.includes("hello") && !isOfThose) this.#got.add(number);
    if (this.#got.size === servers - hanging) this.#allGot();
    return { status: 200, headers: {}, url, body: new Blob([encodeUtf8('{"pdus":{}}')]).stream() };
  }

  letGo(): void {
    for (const resolve of this.#hanging) resolve();
  }
}
