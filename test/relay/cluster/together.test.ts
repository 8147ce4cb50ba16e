import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { LinkError, type LinkHandler } from "../../../src/link/api.ts";
import { systemClock } from "../../../src/link/clock.ts";
import { openLink } from "../../../src/link/open-link.ts";
import { connectChannel } from "../../../src/link/transports/connect.ts";
import { natsMailbox } from "../../../src/relay/cluster/mailbox/nats-mailbox.ts";
import { natsChannel } from "../../../src/relay/cluster/sessions/nats-channel.ts";
import { mail } from "../mailbox/contract.ts";
import { startClusterRelay } from "../support/cluster-relay.ts";
import {
  connectTo,
  discard,
  hasNatsServer,
  type NatsServers,
  randomPrefix,
  startNatsServers,
} from "../support/nats-servers.ts";
import { type Person, person, RELAY } from "../support/people.ts";

const limits = { bytes: 1 << 30, entries: 10_000 };
const never = () => new AbortController().signal;

describe.skipIf(!hasNatsServer)("relays over the same nats-server", () => {
  let servers: NatsServers;
  beforeAll(async () => {
    servers = await startNatsServers(1);
  });
  afterAll(() => servers.stop());

  async function connected(prefix = randomPrefix()) {
    const nats = await connectTo(servers, prefix);
    onTestFinished(() => discard(nats));
    return nats;
  }

  async function mailboxes(count: number, report = vi.fn()) {
    const prefix = randomPrefix();
    const all = await Promise.all(Array.from({ length: count }, () => connected(prefix)));
    const open = (nats: (typeof all)[number]) => natsMailbox(nats, { limits, retention: 86_400_000, report });
    return { nats: all, stores: await Promise.all(all.map(open)), open, report };
  }

  test("the same transactions at all relays at once are stored once each, under ids without gaps", async () => {
    const { stores } = await mailboxes(3);
    const ids = Array.from({ length: 100 }, (_, index) => `t${index}`);
    const puts = ids.flatMap((txnId) => stores.map((store) => store.put("node", mail({ txnId }))));
    const outcomes = await Promise.all(puts);
    expect(outcomes.filter((outcome) => outcome === "stored")).toHaveLength(100);
    expect(outcomes.filter((outcome) => outcome === "duplicate")).toHaveLength(200);
    const found: string[] = [];
    for (let id = 1; id <= 100; id++) {
      const taken = await stores[id % 3]?.next("node", id - 1);
      expect(taken?.entry.id).toBe(id);
      found.push(taken?.entry.txnId ?? "");
    }
    expect(found.sort()).toEqual(ids.sort());
  });

  test("a relay that was away for snapshots and purges comes to the same as one that starts", async () => {
    const { nats, stores, open } = await mailboxes(2);
    const [busy, away] = stores as [(typeof stores)[0], (typeof stores)[0]];
    await busy.put("node", mail({ txnId: "first" }));
    expect((await away.next("node", 0))?.entry.txnId).toBe("first");
    for (let round = 0; round < 200; round++) {
      await busy.put("node", mail({ txnId: `t${round}` }));
      if (round % 2 === 0) await busy.acknowledge("node", round);
    }
    const [one] = nats as [(typeof nats)[0]];
    const { state } = await one.manager.streams.info(`${one.prefix}-mail`);
    expect(state.messages).toBeLessThan(250);
    const fresh = await open(one);
    expect(await away.next("node", 0)).toEqual(await fresh.next("node", 0));
    expect(await away.backlog("node")).toEqual(await fresh.backlog("node"));
    expect(await away.put("node", mail({ txnId: "first" }))).toBe("duplicate");
  });

  test("a transaction of 8 MB comes out whole elsewhere, and its pieces go with it", async () => {
    const { nats, stores } = await mailboxes(2);
    const body = new Uint8Array(8 * 1024 * 1024).map((_, index) => index % 251);
    expect(await stores[0]?.put("node", mail({ body }))).toBe("stored");
    const taken = await stores[1]?.next("node", 0);
    expect(taken?.entry.body.length).toBe(body.length);
    expect(taken?.entry.body.every((byte, index) => byte === body[index])).toBe(true);
    await stores[1]?.acknowledge("node", 1);
    const [one] = nats as [(typeof nats)[0]];
    const messages = async () => (await one.manager.streams.info(`${one.prefix}-bodies`)).state.messages;
    await vi.waitFor(async () => expect(await messages()).toBe(0));
  });

  test("an entry whose pieces are lost is reported, and does not stand in the way of others", async () => {
    const { nats, stores, report } = await mailboxes(1);
    const [store] = stores as [(typeof stores)[0]];
    const [one] = nats as [(typeof nats)[0]];
    await store.put("node", mail({ body: new Uint8Array(1_000_000) }));
    await store.put("node", mail({ txnId: "t2" }));
    await one.manager.streams.purge(`${one.prefix}-bodies`);
    expect((await store.next("node", 0))?.entry.txnId).toBe("t2");
    expect(report).toHaveBeenCalledTimes(1);
    expect(await store.backlog("node")).toMatchObject({ entries: 1 });
  });

  test("a channel breaks where a message is missing, and says who is gone", async () => {
    const { connection, prefix } = await connected();
    const channel = natsChannel(connection, `${prefix}.a`, `${prefix}.b`);
    const message = new Uint8Array(10);
    new DataView(message.buffer).setFloat64(1, 1);
    connection.publish(`${prefix}.a`, message);
    await expect(channel.readable.getReader().read()).rejects.toThrow("missing");
    const alone = natsChannel(connection, `${prefix}.c`, `${prefix}.d`);
    await alone.writable.getWriter().write(new Uint8Array(1));
    await expect(alone.readable.getReader().read()).rejects.toThrow("gone");
  });

  test("who does not read holds up the writer", async () => {
    const { connection, prefix } = await connected();
    const from = natsChannel(connection, `${prefix}.a`, `${prefix}.b`);
    const to = natsChannel(connection, `${prefix}.b`, `${prefix}.a`);
    const size = 4 * 1024 * 1024;
    let written = false;
    const writing = from.writable.getWriter().write(new Uint8Array(size));
    void writing.then(() => {
      written = true;
    });
    await connection.flush();
    expect(written).toBe(false);
    const reader = to.readable.getReader();
    for (let got = 0; got < size; ) got += (await reader.read()).value?.length ?? 0;
    await writing;
    to.close("");
    from.close("");
  });

  async function relays(count: number) {
    const prefix = randomPrefix();
    const all = await Promise.all(
      Array.from({ length: count }, () => startClusterRelay(servers.urls, 1, prefix)),
    );
    onTestFinished(async () => {
      for (const relay of all) await relay.stop();
    });
    return all as [(typeof all)[0], (typeof all)[0]];
  }

  async function enter(
    relay: Awaited<ReturnType<typeof startClusterRelay>>,
    { name, key }: Person,
    handler: LinkHandler,
  ) {
    const channel = await connectChannel("websocket", relay.addresses, never());
    const keepAlive = { silence: 20_000, patience: 15_000 };
    const options = { channel, handler, clock: systemClock, keepAlive, log: () => undefined };
    const { link, end } = await openLink(options, RELAY, { serverName: name, ...key });
    if (link === undefined) throw new Error(end.reason);
    onTestFinished(() => link.close("The test is over.", 0));
    return link;
  }

  const echo: LinkHandler = async ({ target, body }) => ({
    status: 200,
    headers: [["x-target", target]],
    body,
  });

  test("a request reaches a node at another relay, with bodies of any size both ways", async () => {
    const [one, two] = await relays(2);
    const node = await person(1);
    await enter(one, node, echo);
    await vi.waitFor(async () => expect(await two.sessions.isAwake(node.name)).toBe(true));
    const sent = new Uint8Array(3_000_000).map((_, index) => index % 253);
    const request = { method: "POST", target: "/x?y", headers: [], body: new Blob([sent]).stream() };
    const answer = await two.sessions.forward(node.name, request, never());
    expect(answer).toMatchObject({ status: 200, headers: [["x-target", "/x?y"]] });
    const got = await new Response(answer?.body).bytes();
    expect(got.length).toBe(sent.length);
    expect(got.every((byte, index) => byte === sent[index])).toBe(true);
    expect(
      await two.sessions.forward("nobody.example", { ...request, body: undefined }, never()),
    ).toBeUndefined();
  });

  test("giving up a request reaches the node, and its sleep all relays", async () => {
    const [one, two] = await relays(2);
    const node = await person(1);
    const asked = Promise.withResolvers<AbortSignal>();
    await enter(one, node, async (_, signal) => {
      asked.resolve(signal);
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(new LinkError("given up", false)));
      });
    });
    await vi.waitFor(async () => expect(await two.sessions.isAwake(node.name)).toBe(true));
    const abort = new AbortController();
    const request = { method: "GET", target: "/x", headers: [] };
    const answer = two.sessions.forward(node.name, request, abort.signal);
    const signal = await asked.promise;
    abort.abort(new Error("enough"));
    await expect(answer).rejects.toThrow("enough");
    await vi.waitFor(() => expect(signal.aborted).toBe(true));
    one.sessions.setAsleep(node.name, true);
    await vi.waitFor(async () => expect(await two.sessions.isAwake(node.name)).toBe(false));
  });

  test("of two sessions of one node at two relays the later one stays, for both", async () => {
    const [one, two] = await relays(2);
    const node = await person(1);
    const first = await enter(one, node, echo);
    await enter(two, node, async () => ({ status: 204, headers: [] }));
    expect((await first.ended).kind).toBe("moved");
    const request = { method: "GET", target: "/x", headers: [] };
    expect(await one.sessions.forward(node.name, request, never())).toMatchObject({ status: 204 });
    expect(await two.sessions.forward(node.name, request, never())).toMatchObject({ status: 204 });
  });
});
