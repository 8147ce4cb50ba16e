import { describe, expect, test } from "vitest";
import { acceptLink } from "../../src/link/accept-link.ts";
import type { ChannelKind, LinkError, LinkHandler } from "../../src/link/api.ts";
import { Keeper, type KeeperState } from "../../src/link/keeper.ts";
import { headStart } from "../../src/link/race.ts";
import type { Session } from "../../src/link/session/session.ts";
import { bodyOf, bytesOf, readAll, same } from "./support/bodies.ts";
import { ed25519, identityFrom, keepAlive, relayName } from "./support/identities.ts";
import { manualClock } from "./support/manual-clock.ts";
import { type MemoryChannel, memoryChannels, turn } from "./support/memory-channels.ts";
import { noAnswers } from "./support/sessions.ts";

const identity = await identityFrom(1);
const kinds: ChannelKind[] = ["webtransport", "websocket", "fetch"];
const request = { method: "GET", target: "/x", headers: [] };
const ok: LinkHandler = async () => ({ status: 200, headers: [] });

/** A keeper and a relay whose ways can be open, closed, or hang. */
function world(handler: LinkHandler = ok) {
  const clock = manualClock();
  const ways: { [kind in ChannelKind]: "open" | "closed" | "hangs" } = {
    webtransport: "open",
    websocket: "open",
    fetch: "open",
  };
  const relay = { refusal: undefined as string | undefined, sessions: [] as Session[] };
  const channels: MemoryChannel[] = [];
  const states: KeeperState[] = [];
  let found = true;
  const keeper = new Keeper({
    relayName,
    identity,
    handler: noAnswers,
    clock,
    random: () => 1,
    log: () => undefined,
    changed: (state) => states.push(state),
    addresses: async () => {
      if (!found) throw new Error("no network");
      return { websocket: "", fetch: "" };
    },
    kinds: () => kinds,
    connect: async (kind, _, signal) => {
      if (ways[kind] === "closed") throw new Error(`${kind} is blocked`);
      if (ways[kind] === "hangs") await new Promise((__, reject) => signal.addEventListener("abort", reject));
      const [mine, theirs] = memoryChannels(kind);
      channels.push(mine);
      const options = { channel: theirs, handler, clock, keepAlive, log: () => undefined };
      void acceptLink(options, relayName, ed25519, async () => relay.refusal).then(({ link }) => {
        if (link === undefined) return;
        relay.sessions.at(-1)?.closeAs({ kind: "moved", reason: "Moved." }, 30_000);
        relay.sessions.push(link);
      });
      return mine;
    },
  });
  /** Lets time pass, slowly enough for both sides to do what they would do in it. */
  async function pass(milliseconds: number) {
    for (let left = milliseconds; left > 0; left -= 1000) {
      clock.advance(Math.min(left, 1000));
      for (let turns = 0; turns < 12; turns++) await turn();
    }
  }
  return {
    keeper,
    relay,
    channels,
    states,
    ways,
    clock,
    pass,
    lose: () => {
      found = false;
    },
    find: () => {
      found = true;
    },
    until: (state: KeeperState["state"]) => expect.poll(() => keeper.state.state).toBe(state),
    names: () => states.map((one) => (one.state === "open" ? one.kind : one.state)),
  };
}

describe("a keeper", () => {
  test("connects when told to, and says how long a round trip is", async () => {
    const { keeper, until, states } = world();
    expect(keeper.state.state).toBe("asleep");
    keeper.reconnect();
    await until("open");
    await expect.poll(() => states.at(-1)).toEqual({ state: "open", kind: "webtransport", roundTrip: 0 });
    expect((await keeper.request(() => request)).status).toBe(200);
  });

  test("takes the next way when one hangs, and goes over to the better one when that opens", async () => {
    const { keeper, until, ways, pass, relay, names } = world();
    ways.webtransport = "hangs";
    keeper.reconnect();
    await pass(headStart + 1000);
    await until("open");
    expect(keeper.state).toMatchObject({ kind: "websocket" });
    ways.webtransport = "open";
    await pass(60_000);
    await expect.poll(() => keeper.state).toMatchObject({ state: "open", kind: "webtransport" });
    expect(names()).not.toContain("waiting");
    expect((await keeper.request(() => request)).status).toBe(200);
    expect(relay.sessions.length).toBe(2);
    expect((await relay.sessions[0]?.ended)?.kind).toBe("moved");
  });

  test("lets what is under way end on the old session", async () => {
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { keeper, until, ways, pass } = world(async () => {
      await gate;
      return { status: 200, headers: [], body: bodyOf([bytesOf(200_000)]).stream };
    });
    ways.webtransport = "closed";
    keeper.reconnect();
    await until("open");
    const under = keeper.request(() => request);
    ways.webtransport = "open";
    await pass(60_000);
    await expect.poll(() => keeper.state).toMatchObject({ state: "open", kind: "webtransport" });
    open();
    expect(same(await readAll((await under).body), bytesOf(200_000))).toBe(true);
  });

  test("comes back by itself after a break, a little later each time", async () => {
    const { keeper, until, channels, pass, lose, find, states, clock } = world();
    keeper.reconnect();
    await until("open");
    lose();
    channels[0]?.break();
    await until("waiting");
    const waits: number[] = [];
    for (let round = 0; round < 4; round++) {
      const state = keeper.state;
      if (state.state !== "waiting") throw new Error(`It is ${state.state}.`);
      waits.push(state.until - clock.now());
      clock.advance(state.until - clock.now());
      for (let turns = 0; turns < 12; turns++) await turn();
    }
    expect(waits).toEqual([500, 1000, 2000, 4000]);
    expect(states.at(-1)).toMatchObject({ reason: "The relay cannot be found: no network" });
    find();
    await pass(8000);
    await until("open");
  });

  test("comes back at once when told that the network is there", async () => {
    const { keeper, until, lose, find, pass } = world();
    lose();
    keeper.reconnect();
    await until("waiting");
    await pass(5000);
    find();
    keeper.reconnect();
    await until("open");
  });

  test("gives up a session that is silent when the network has changed", async () => {
    const { keeper, until, channels, pass, relay } = world();
    keeper.reconnect();
    await until("open");
    channels[0]?.mute();
    keeper.reconnect();
    await pass(10_000);
    await expect.poll(() => relay.sessions.length).toBe(2);
    await until("open");
  });

  test("stays away when another session of the server took its place", async () => {
    const { keeper, until, relay, clock } = world();
    keeper.reconnect();
    await until("open");
    relay.sessions[0]?.closeAs({ kind: "moved", reason: "Another tab." }, 0);
    await until("waiting");
    expect(keeper.state).toEqual({ state: "waiting", until: clock.now() + 30_000, reason: "Another tab." });
  });

  test("asks a relay that has refused it only when told to", async () => {
    const { keeper, until, relay, pass, clock, states } = world();
    relay.refusal = "Not here.";
    keeper.reconnect();
    await until("refused");
    expect(keeper.state).toEqual({ state: "refused", reason: "Not here." });
    const before = states.length;
    await pass(10_000);
    expect([states.length, clock.pending]).toEqual([before, []]);
    relay.refusal = undefined;
    keeper.reconnect();
    await until("open");
  });

  test("keeps nothing while asleep: no session, no timer", async () => {
    const { keeper, until, relay, clock } = world();
    keeper.reconnect();
    await until("open");
    await keeper.sleep("The page is frozen.");
    expect((await relay.sessions[0]?.ended)?.reason).toBe("The page is frozen.");
    expect([keeper.state.state, clock.pending]).toEqual(["asleep", []]);
    keeper.reconnect();
    await until("open");
  });

  test("asleep in the middle of connecting, it opens nothing", async () => {
    const { keeper, relay, clock, ways } = world();
    ways.webtransport = "hangs";
    keeper.reconnect();
    await turn();
    await keeper.sleep("The page is frozen.");
    for (let turns = 0; turns < 20; turns++) await turn();
    expect([relay.sessions, clock.pending, keeper.state.state]).toEqual([[], [], "asleep"]);
  });
});

describe("a request", () => {
  test("waits for a session, within its limit", async () => {
    const { keeper, until, pass } = world();
    const waiting = keeper.request(() => request, { wait: 5000 });
    keeper.reconnect();
    await until("open");
    expect((await waiting).status).toBe(200);
    await keeper.sleep("over");
    const never = keeper.request(() => request, { wait: 5000 });
    never.catch(() => undefined);
    await pass(5000);
    await expect(never).rejects.toMatchObject({ name: "LinkError", untouched: true });
  });

  test("is sent again over the next session where the relay had certainly not begun", async () => {
    const { keeper, until, relay, pass } = world();
    keeper.reconnect();
    await until("open");
    const [first] = relay.sessions;
    // Takes no more, but is not over: an exchange of the relay's own is under way.
    first?.closeAs({ kind: "closed", reason: "An update." }, 3000);
    const asked = keeper.request(() => request);
    await pass(6000);
    expect((await asked).status).toBe(200);
    expect(relay.sessions.length).toBe(2);
  });

  test.each<[repeatable: boolean, sent: number]>([
    [false, 1],
    [true, 2],
  ])("that the relay had begun with: repeatable %s, sent %s times", async (repeatable, sent) => {
    let begun = 0;
    const { keeper, until, channels, pass } = world(async () => {
      begun++;
      if (begun === 1) channels[0]?.break();
      return { status: 200, headers: [] };
    });
    keeper.reconnect();
    await until("open");
    const outcome = keeper
      .request(() => request, { repeatable })
      .then(
        ({ status }) => status,
        (error: LinkError) => error.untouched,
      );
    await pass(3000);
    expect([await outcome, begun]).toEqual([repeatable ? 200 : false, sent]);
  });

  test("can be given up while it waits", async () => {
    const { keeper } = world();
    const controller = new AbortController();
    const asked = keeper.request(() => request, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
  });
});
