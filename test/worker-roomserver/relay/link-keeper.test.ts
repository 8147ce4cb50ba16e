import { expect, test, vi } from "vitest";
import type { KeeperState } from "../../../src/worker-roomserver/relay/keeper.ts";
import { type LinkKeeperOptions, linkKeepers } from "../../../src/worker-roomserver/relay/link-keeper.ts";
import { FakeRelay } from "./support/fake-relay.ts";

const identity = {
  ...{ serverName: "node.example", keyId: "ed25519:1", publicKey: new Uint8Array(32) },
  sign: async () => new Uint8Array(64),
};

/** One keeper, over a link's keeper that does as it is told. */
async function kept(answer: () => Promise<Response> = async () => Response.json(new FakeRelay().info)) {
  const events: unknown[] = [];
  const told: string[] = [];
  let made: (options: LinkKeeperOptions) => void = () => undefined;
  const inner = new Promise<LinkKeeperOptions>((resolve) => {
    made = resolve;
  });
  const open = linkKeepers(
    async (options) => {
      made(options);
      return {
        reconnect: () => void told.push("reconnect"),
        sleep: async () => void told.push("sleep"),
        request: async (make) => ({ status: 200, headers: [["target", make().target]] }),
      };
    },
    async () => answer(),
  );
  const keeper = open({
    ...{ url: "https://relay.example:8448", identity, handler: async () => ({ status: 200, headers: [] }) },
    onLink: (link, info) => events.push(["link", info.name, link]),
    onEnd: () => events.push("end"),
    onState: (state: KeeperState) => events.push(state),
  });
  return { keeper, events, told, link: await inner };
}

const signal = () => new AbortController().signal;
const opened = { state: "open", kind: "websocket", roundTrip: undefined } as const;

test("a relay is asked for its addresses and its name before each attempt", async () => {
  const { link, told } = await kept();
  expect(link.relayName).toBe("relay.example:8448");
  expect(await link.addresses(signal())).toEqual(new FakeRelay().info.link);
  expect(link.relayName).toBe("relay.example");
  await vi.waitFor(() => expect(told).toEqual(["reconnect"]));
});

test.each<[string, () => Promise<Response>]>([
  ["is not there", async () => new Response("no", { status: 404 })],
  ["is something else", async () => Response.json({ name: "x" })],
  ["is no JSON", async () => new Response("<html>")],
])("what %s is no relay", async (_, answer) => {
  const { link } = await kept(answer);
  await expect(link.addresses(signal())).rejects.toThrow("There is no relay at this address.");
});

test("that a session opens is told once, also when a better one takes its place; then that it has ended", async () => {
  const { link, events } = await kept();
  await link.addresses(signal());
  link.changed({ state: "connecting" });
  link.changed(opened);
  link.changed({ ...opened, roundTrip: 7 });
  link.changed({ ...opened, kind: "webtransport" });
  link.changed({ state: "waiting", until: 5, reason: "gone" });
  link.changed({ state: "connecting" });
  expect(events).toEqual([
    { phase: "connecting" },
    { phase: "connected", kind: "websocket" },
    ["link", "relay.example", expect.anything()],
    { phase: "connected", kind: "websocket", roundTrip: 7 },
    { phase: "connected", kind: "webtransport" },
    { phase: "waiting", retryAt: 5, reason: "gone" },
    "end",
    { phase: "connecting" },
  ]);
});

test("after it was closed nothing is told any more, and no session kept", async () => {
  const { keeper, link, events, told } = await kept();
  await link.addresses(signal());
  await keeper.close("removed");
  link.changed(opened);
  link.changed({ state: "refused", reason: "no" });
  expect(events).toEqual([]);
  expect(told.at(-1)).toBe("sleep");
});
