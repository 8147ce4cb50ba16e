import { describe, expect, test } from "vitest";
import { denoFlags, findDeno } from "../../../scripts/support/deno.mjs";
import type { LinkAddresses } from "../../../src/link/transports/connect.ts";
import { LINK_PATH } from "../../../src/relay/sessions/link-door.ts";
import { atTheEnd } from "../support/at-the-end.ts";
import { startNode } from "../support/cluster-node.ts";
import { makeFolder } from "../support/folder.ts";
import { hasNatsServer, startNatsServers } from "../support/nats-servers.ts";
import { type Person, person, RELAY, signed } from "../support/people.ts";

const main = new URL("../../../src/relay/main.ts", import.meta.url).pathname;

/** A port that is free now. */
function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** Another relay of the cluster: the real one, in a process of its own. */
async function spawnRelay(servers: string[]) {
  const host = `127.0.0.1:${freePort()}`;
  const cluster = ["--nats", servers.join(","), "--nats-replicas", String(servers.length)];
  const own = ["--name", RELAY, "--listen", host, "--data", await makeFolder(), "--log-level", "error"];
  const child = new Deno.Command(findDeno(), {
    args: [...denoFlags, "--no-check", main, ...cluster, ...own],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let over = false;
  const kill = async () => {
    if (!over) child.kill("SIGKILL");
    over = true;
    await child.status;
  };
  atTheEnd(kill);
  let text = "";
  for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.includes("ready at")) break;
  }
  const addresses: LinkAddresses = {
    websocket: `ws://${host}${LINK_PATH}`,
    fetch: `http://${host}${LINK_PATH}`,
  };
  return { origin: `http://${host}`, addresses, kill };
}

/** Sends transactions one after the other to any relay, each until it is accepted, as homeservers do. */
function startSender(
  from: Person,
  to: readonly string[],
  origins: readonly string[],
  accept: (index: number, txnId: string) => void,
) {
  let stopped = false;
  const run = async () => {
    for (let number = 0; !stopped; number++) {
      const index = number % to.length;
      const txnId = `${from.name.slice(0, 4)}-${number}`;
      const uri = `/_matrix/federation/v1/send/${txnId}`;
      // Every tenth one is larger than a message of NATS.
      const edus = [{ edu_type: "x", content: { text: "x".repeat(number % 10 === 9 ? 1_200_000 : 500) } }];
      const { authorization, body } = await signed(from, to[index] ?? "", "PUT", uri, { pdus: [], edus });
      for (let attempt = number; ; attempt++) {
        const init = { method: "PUT", headers: { authorization }, body: body ?? null };
        const answer = await fetch(`${origins[attempt % origins.length]}${uri}`, init).catch(() => undefined);
        await answer?.body?.cancel();
        if (answer?.status === 200) break;
        // It is given up, unfinished, when the test ends.
        if (stopped) return;
      }
      accept(index, txnId);
    }
  };
  const running = run();
  return async () => {
    stopped = true;
    await running;
  };
}

describe.skipIf(!hasNatsServer)("three relays over three nats-servers", () => {
  test("one relay and then one server killed under load: nothing accepted is lost, nothing acknowledged comes again", async () => {
    const servers = await startNatsServers(3);
    atTheEnd(() => servers.stop());
    const first = await spawnRelay(servers.urls);
    const others = await Promise.all([spawnRelay(servers.urls), spawnRelay(servers.urls)]);
    const relays = [first, ...others];
    const addresses = relays.map((relay) => relay.addresses);

    // Two of them begin at the relay that is killed.
    const people = await Promise.all([person(1), person(2), person(3), person(4)]);
    const rotated = (by: number) => [...addresses.slice(by), ...addresses.slice(0, by)];
    const nodes = people.map((one, index) => startNode(one, rotated(index % 2), index >= 2));
    for (const node of nodes) atTheEnd(() => node.stop());
    for (const node of nodes) await node.until(() => node.keeper.state.state === "open");

    const accepted: string[][] = nodes.map(() => []);
    let [count, goal] = [0, 0];
    let reached: () => void = () => undefined;
    const accept = (index: number, txnId: string) => {
      accepted[index]?.push(txnId);
      if (++count >= goal) reached();
    };
    const names = nodes.map(({ name }) => name);
    const origins = relays.map(({ origin }) => origin);
    const senders = await Promise.all([person(11), person(12), person(13), person(14)]);
    const stops = senders.map((one) => startSender(one, names, origins, accept));
    const more = (by: number) =>
      new Promise<void>((resolve) => {
        goal = count + by;
        reached = resolve;
      });

    await more(120);
    await first.kill();
    await more(120);
    await servers.kill(1);
    await more(120);
    await servers.restart(1);
    await more(60);
    await Promise.all(stops.map((stop) => stop()));

    for (const [index, node] of nodes.entries()) {
      expect(accepted[index]?.length).toBeGreaterThan(50);
      await node.until(() => accepted[index]?.every((id) => node.transactions().has(id)) === true);
      // Served again only if it was not acknowledged, and then as the same entry.
      for (const { id, acknowledged } of node.served) expect(id).toBeGreaterThan(acknowledged);
      const byId = new Map(node.served.map(({ id, transaction }) => [id, transaction]));
      expect(new Set(byId.values()).size).toBe(byId.size);
    }
    // Both ways were taken: to nodes at another relay, and through the mailbox.
    expect(nodes[0]?.served.length).toBeGreaterThan(50);
    expect(nodes[2]?.got.length).toBeGreaterThan(50);
  }, 120_000);
});
