// A relay's sessions in a process of their own, and what they cost: `deno run … --v8-flags=--expose-gc`. Prints a line of
// JSON when it is ready. `/forward?name=` hands a request to a node, `/memory` says what the process holds.
import { bodyOf } from "../../../src/link/bodies.ts";
import { readBody } from "../../../src/relay/body.ts";
import { ask, requestFor } from "../../../src/relay/ingress/forward.ts";
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
    // As the relay does it for a transaction: read whole, as it may have to go to the mailbox.
    const body = new Uint8Array(await request.arrayBuffer());
    const arrived = {
      ...{ method: request.method, target: "/from-outside", host: "node.example", address: "127.0.0.1" },
      ...{ headers: request.headers, body: request.body, signal: request.signal },
    };
    const asked = requestFor(arrived, bodyOf(body));
    const answer = await ask(registry, searchParams.get("name") ?? "", asked, 5_000, request.signal);
    if (answer === undefined) return new Response(null, { status: 502 });
    const bytes = await readBody(answer.body ?? null, { bytes: 1_000_000, time: 5_000 });
    return new Response(bytes, { status: answer.status, headers: { "Content-Type": "application/json" } });
  },
);
console.log(JSON.stringify({ origin: relay.origin }));
