import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ChannelKind, LinkHandler } from "../../../src/link/api.ts";
import { systemClock } from "../../../src/link/clock.ts";
import { openLink } from "../../../src/link/open-link.ts";
import { connectChannel } from "../../../src/link/transports/connect.ts";
import { bodyOf, bytesOf, readAll, same } from "../../link/support/bodies.ts";
import { identityFrom, keepAlive, relayName } from "../../link/support/identities.ts";
import { makeCertificate } from "../support/certificate.ts";
import { startLinkRelay } from "../support/link-relay.ts";

const echo: LinkHandler = async ({ body }) => ({ status: 200, headers: [], body });
let relay: Awaited<ReturnType<typeof startLinkRelay>>;
beforeAll(async () => {
  relay = await startLinkRelay(echo);
});
afterAll(() => relay.stop());

let seeds = 10;
async function open(kind: ChannelKind, seed = seeds++) {
  const channel = await connectChannel(kind, relay.addresses, AbortSignal.timeout(10_000));
  const identity = await identityFrom(seed);
  const options = { channel, handler: echo, clock: systemClock, keepAlive, log: () => undefined };
  const { link, end } = await openLink(options, relayName, identity);
  if (link === undefined) throw new Error(end.reason);
  return { link, channel, identity };
}

describe.each<[ChannelKind]>([["webtransport"], ["websocket"], ["fetch"]])("%s", (kind) => {
  test("carries exchanges both ways at once", async () => {
    const { link, identity } = await open(kind);
    const sent = bytesOf(3_000_000);
    const request = () => ({ method: "POST", target: "/", headers: [], body: bodyOf([sent]).stream });
    const up = link.request(request()).then(({ body }) => readAll(body));
    const down = relay.registry.forward(identity.serverName, request(), new AbortController().signal);
    expect(same(await up, sent)).toBe(true);
    expect(same(await readAll((await down)?.body), sent)).toBe(true);
    expect(await link.ping()).toBeGreaterThanOrEqual(0);
    await link.close("done");
  });

  test("a session that closes is not awake any more, on either side", async () => {
    const { link, identity } = await open(kind);
    expect(await relay.registry.isAwake(identity.serverName)).toBe(true);
    await link.close("done");
    await expect.poll(() => relay.registry.isAwake(identity.serverName)).toBe(false);
    await expect.poll(() => relay.registry.counters.open[kind]).toBe(0);
  });

  test("the relay's last word reaches the node", async () => {
    const { link, identity } = await open(kind);
    await open(kind, seeds - 1);
    expect((await link.ended).kind).toBe("moved");
    expect(await relay.registry.isAwake(identity.serverName)).toBe(true);
  });

  test("a channel that is cut off ends at the relay", async () => {
    const { channel, link, identity } = await open(kind);
    channel.close("cut");
    await link.ended;
    await expect.poll(() => relay.registry.isAwake(identity.serverName)).toBe(false);
  });
});

test("a new certificate leaves sessions open, and is what the next one sees", async () => {
  const { link } = await open("webtransport");
  const { certificate, hash } = await makeCertificate();
  relay.quic.renew(certificate);
  const { url } = relay.addresses.webtransport ?? { url: "" };
  relay.addresses.webtransport = { url, certificate_hashes: [hash] };
  const next = await open("webtransport");
  await Promise.all([link.ping(), next.link.ping()]);
  await Promise.all([link.close("done"), next.link.close("done")]);
});
