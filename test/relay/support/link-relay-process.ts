// A relay's sessions in a process of their own, and a page that speaks to them: `deno run … FOLDER`. FOLDER
// holds the page's script. Prints one line of JSON when it is ready.
import type { LinkHandler } from "../../../src/link/api.ts";
import { startLinkRelay } from "./link-relay.ts";
import { startUdpProxy } from "./udp-proxy.ts";

const [folder = ""] = Deno.args;

/** Gives back what it gets, with what was asked. */
const echo: LinkHandler = async ({ target, body }) => ({
  status: 200,
  headers: [["x-target", target]],
  body,
});

const relay = await startLinkRelay(echo, async (request, registry) => {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname === "/") {
    const page = '<!doctype html><title>link</title><script type="module" src="/node.js"></script>';
    return new Response(page, { headers: { "content-type": "text/html" } });
  }
  if (pathname === "/node.js") {
    const script = await Deno.readTextFile(`${folder}/node.js`);
    return new Response(script, { headers: { "content-type": "text/javascript" } });
  }
  if (pathname === "/addresses") return Response.json(addresses);
  if (pathname === "/forward") {
    // A request of somebody else to the node.
    const answer = await registry.forward(
      searchParams.get("name") ?? "",
      { method: "POST", target: "/from-outside", headers: [], body: request.body ?? undefined },
      new AbortController().signal,
    );
    return new Response(answer?.body ?? null, { status: answer?.status ?? 404 });
  }
  // What a network does that lets no UDP through any more.
  if (pathname === "/lose-packets") {
    packets.lose();
    return new Response();
  }
  return new Response(null, { status: 404 });
});
const packets = await startUdpProxy(relay.quic.port);
const { webtransport, ...others } = relay.addresses;
const addresses = {
  ...others,
  webtransport: webtransport && {
    ...webtransport,
    url: webtransport.url.replace(`:${relay.quic.port}/`, `:${packets.port}/`),
  },
};
console.log(JSON.stringify({ origin: relay.origin }));
