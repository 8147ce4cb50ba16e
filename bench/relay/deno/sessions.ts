// A relay's sessions in a process of their own, and what they cost: `deno run … --v8-flags=--expose-gc`. Prints a line of
// JSON when it is ready. `/forward?name=` hands a request to a node, `/memory` says what the process holds.
import { startLinkRelay } from "../../../test/relay/support/link-relay.ts";

declare const gc: () => void;

const relay = await startLinkRelay(
  async ({ body }) => ({ status: 200, headers: [], body }),
  async (request, registry) => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/") {
      const page = '<!doctype html><title>link</title><script type="module" src="/node.js"></script>';
      return new Response(page, { headers: { "content-type": "text/html" } });
    }
    if (pathname === "/node.js") {
      const script = await Deno.readTextFile(Deno.args[0] ?? "");
      return new Response(script, { headers: { "content-type": "text/javascript" } });
    }
    if (pathname === "/addresses") return Response.json(relay.addresses);
    if (pathname === "/memory") {
      for (let i = 0; i < 3; i++) gc();
      return Response.json({ rss: Deno.memoryUsage().rss, open: registry.counters.open });
    }
    if (pathname !== "/forward") return new Response(null, { status: 404 });
    const answer = await registry.forward(
      searchParams.get("name") ?? "",
      { method: "POST", target: "/from-outside", headers: [], body: request.body ?? undefined },
      request.signal,
    );
    return new Response(answer?.body ?? null, { status: answer?.status ?? 502 });
  },
);
console.log(JSON.stringify({ origin: relay.origin }));
