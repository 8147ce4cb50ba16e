import { describe, expect, test } from "vitest";
import type { LinkHandler } from "../../../src/link/api.ts";
import { systemClock } from "../../../src/link/clock.ts";
import { openLink } from "../../../src/link/open-link.ts";
import { SessionRegistry } from "../../../src/relay/sessions/registry.ts";
import { bodyOf, bytesOf } from "../../link/support/bodies.ts";
import { ed25519, identityFrom, keepAlive, relayName } from "../../link/support/identities.ts";
import { memoryChannels } from "../../link/support/memory-channels.ts";

const ok: LinkHandler = async () => ({ status: 200, headers: [] });
const request = { method: "GET", target: "/", headers: [] };
const signal = new AbortController().signal;
const identity = await identityFrom(1);
const { serverName } = identity;

function relay({ sessions = 10, handshakes = 10, handshakesPerAddress = 5 } = {}) {
  const changes: string[] = [];
  const asked: string[] = [];
  const registry = new SessionRegistry({
    relayName,
    ed25519,
    authorize: async (claim) => (claim.keyId === "ed25519:bad" ? "Not this key." : undefined),
    handler: async (name, { target }) => {
      asked.push(`${name} ${target}`);
      return { status: 200, headers: [] };
    },
    clock: systemClock,
    limits: { sessions, handshakes, handshakesPerAddress },
    log: () => undefined,
    changed: (name, awake) => changes.push(`${name === serverName ? "it" : name} ${awake}`),
  });
  /** A node that comes from this address; without its handshake it only connects. */
  async function open(handler = ok, who = identity, address = "192.0.2.1") {
    const [mine, theirs] = memoryChannels();
    const done = registry.accept(theirs, address);
    const options = { channel: mine, handler, clock: systemClock, keepAlive, log: () => undefined };
    return { ...(await openLink(options, relayName, who)), channel: mine, done };
  }
  const knock = (address = "192.0.2.1") => {
    const [mine, theirs] = memoryChannels();
    return { channel: mine, done: registry.accept(theirs, address) };
  };
  return { registry, changes, asked, open, knock };
}

describe("the sessions of a relay", () => {
  test("a node is awake from its session's opening to its end", async () => {
    const { registry, open, changes, asked } = relay();
    expect(await registry.isAwake(serverName)).toBe(false);
    expect(await registry.forward(serverName, request, signal)).toBeUndefined();
    const { link, done } = await open();
    await expect.poll(() => registry.isAwake(serverName)).toBe(true);
    expect((await registry.forward(serverName, request, signal))?.status).toBe(200);
    await link?.request({ ...request, target: "/mine" });
    expect(asked).toEqual([`${serverName} /mine`]);
    await link?.close("done");
    await done;
    expect(await registry.isAwake(serverName)).toBe(false);
    expect(changes).toEqual(["it true", "it false"]);
    expect(registry.counters).toMatchObject({
      open: { websocket: 0 },
      opened: { websocket: 1 },
      handshakes: 0,
    });
  });

  test("a node that says it sleeps gets nothing, at once, and its session goes on", async () => {
    const { registry, open, changes } = relay();
    const { link } = await open();
    await expect.poll(() => registry.isAwake(serverName)).toBe(true);
    registry.setAsleep(serverName, true);
    expect(await registry.isAwake(serverName)).toBe(false);
    expect(await registry.forward(serverName, request, signal)).toBeUndefined();
    expect((await link?.request(request))?.status).toBe(200);
    registry.setAsleep(serverName, false);
    registry.setAsleep(serverName, false);
    expect((await registry.forward(serverName, request, signal))?.status).toBe(200);
    expect(changes).toEqual(["it true", "it false", "it true"]);
  });

  test("asleep is forgotten with the next session", async () => {
    const { registry, open } = relay();
    await open();
    await expect.poll(() => registry.isAwake(serverName)).toBe(true);
    registry.setAsleep(serverName, true);
    await open();
    await expect.poll(() => registry.isAwake(serverName)).toBe(true);
  });

  test("a second session takes the place of the first, whose exchanges end on it", async () => {
    let answer: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { registry, open, changes } = relay();
    const first = await open(async () => {
      await gate;
      return { status: 201, headers: [] };
    });
    await expect.poll(() => registry.isAwake(serverName)).toBe(true);
    const under = registry.forward(serverName, request, signal);
    await open(async () => ({ status: 202, headers: [] }));
    await expect.poll(() => registry.counters.moved).toBe(1);
    expect((await registry.forward(serverName, request, signal))?.status).toBe(202);
    answer();
    expect((await under)?.status).toBe(201);
    expect((await first.link?.ended)?.kind).toBe("moved");
    await first.done;
    expect([await registry.isAwake(serverName), changes]).toEqual([true, ["it true"]]);
  });

  test("a node that goes in the middle of a request is away", async () => {
    const { registry, open } = relay();
    const node = await open(() => {
      node.channel.break();
      return new Promise(() => undefined);
    });
    await expect.poll(() => registry.isAwake(serverName)).toBe(true);
    expect(await registry.forward(serverName, request, signal)).toBeUndefined();
    await node.done;
    expect(await registry.isAwake(serverName)).toBe(false);
  });

  test("a body is not touched while the node is away", async () => {
    const { registry } = relay();
    const { stream, seen } = bodyOf([bytesOf(10)]);
    expect(await registry.forward(serverName, { ...request, body: stream }, signal)).toBeUndefined();
    expect([seen, stream.locked]).toEqual([{ pulled: 0, cancelled: 0 }, false]);
  });

  test("who asked gives up: that is no absence", async () => {
    const { registry, open } = relay();
    await open(() => new Promise(() => undefined));
    await expect.poll(() => registry.isAwake(serverName)).toBe(true);
    const controller = new AbortController();
    const asked = registry.forward(serverName, request, controller.signal);
    controller.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
  });

  test("is told why it is not let in", async () => {
    const { registry, open } = relay();
    const { end } = await open(ok, { ...identity, keyId: "ed25519:bad" });
    expect(end).toEqual({ kind: "refused", reason: "Not this key." });
    await expect.poll(() => registry.counters).toMatchObject({ failed: 1, handshakes: 0 });
  });

  test("half a handshake counts, for its address and for all", async () => {
    const { registry, open, knock } = relay({ handshakes: 3, handshakesPerAddress: 2 });
    const knocks = [knock(), knock()];
    expect((await open()).end).toEqual({
      kind: "closed",
      reason: "Too many connections from one address at once.",
    });
    knocks.push(knock("192.0.2.2"));
    expect((await open(ok, identity, "192.0.2.3")).end?.reason).toBe("This relay is busy.");
    for (const { channel } of knocks) channel.close("gone");
    await Promise.all(knocks.map(({ done }) => done));
    expect(registry.counters).toMatchObject({ handshakes: 0, failed: 3, turnedAway: 2 });
    expect((await open()).link).toBeDefined();
  });

  test("a relay that is full says so", async () => {
    const { registry, open } = relay({ sessions: 1 });
    await open();
    await expect.poll(() => registry.isAwake(serverName)).toBe(true);
    expect((await open(ok, await identityFrom(2))).end?.reason).toBe("This relay is full.");
  });

  test("a relay that stops lets exchanges end, tells why, and takes nobody more", async () => {
    let answer: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { registry, open } = relay();
    const { link } = await open(async () => {
      await gate;
      return { status: 201, headers: [] };
    });
    await expect.poll(() => registry.isAwake(serverName)).toBe(true);
    const under = registry.forward(serverName, request, signal);
    const closed = registry.close("An update.", 10_000);
    expect((await open(ok, await identityFrom(2))).end?.reason).toBe("An update.");
    answer();
    expect((await under)?.status).toBe(201);
    await closed;
    expect(await link?.ended).toEqual({ kind: "closed", reason: "An update." });
  });
});
