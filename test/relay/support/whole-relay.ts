import { parseIpRange } from "../../../src/matrix/ip-addresses.ts";
import { completeConfig } from "../../../src/relay/config/config.ts";
import { readValues } from "../../../src/relay/config/read.ts";
import { sqliteDocuments } from "../../../src/relay/documents/sqlite-documents.ts";
import { addressGuard } from "../../../src/relay/egress/addresses.ts";
import { openAdmission } from "../../../src/relay/egress/admission.ts";
import { openClient } from "../../../src/relay/egress/client.ts";
import { openDiscovery } from "../../../src/relay/egress/discovery.ts";
import { openEgress } from "../../../src/relay/egress/egress.ts";
import { withArrivals } from "../../../src/relay/mailbox/arrivals.ts";
import { sqliteMailbox } from "../../../src/relay/mailbox/sqlite-mailbox.ts";
import { openNodes } from "../../../src/relay/nodes.ts";
import { openLog } from "../../../src/relay/observe/log.ts";
import { openMetrics } from "../../../src/relay/observe/metrics.ts";
import type { Nodes } from "../../../src/relay/parts.ts";
import { LINK_PATH } from "../../../src/relay/sessions/link-door.ts";
import { openSqlite } from "../../../src/relay/sqlite/store.ts";
import { noWakeUp } from "../../../src/relay/wake-up/no-wake-up.ts";
import { atTheEnd } from "./at-the-end.ts";
import type { Authority } from "./authority.ts";
import { serveTls } from "./servers.ts";

const caller = { address: "127.0.0.1", requestId: "test" };
const loopback = [parseIpRange("127.0.0.0/8") ?? []].flat();

/**
 * A relay with its nodes and its way out, on loopback: every name in the world leads here, and its port says to whom.
 * @param host - its name is this with its port
 * @param limits - how much its nodes may ask of others
 */
export async function startWholeRelay(
  host: string,
  authority: Authority,
  limits = { perMinute: 6000, burst: 1000, perOwner: 64, perTarget: 100, total: 1000 },
) {
  let nodes: Nodes | undefined;
  const port = serveTls(await authority.issue(`*.${host}`, host), async (request) => {
    const answered = await nodes?.ingress(request, { ...caller, secure: true });
    return answered ?? new Response(null, { status: 404 });
  });
  const name = `${host}:${port}`;
  const client = openClient({
    resolve: async () => [{ address: "127.0.0.1", family: 4 }],
    guard: addressGuard(loopback),
    authorities: [authority.pem],
  });
  const egress = openEgress({
    ask: client.ask,
    discover: openDiscovery({ wellKnown: async () => undefined, srv: async () => [], random: () => 0 }),
    admission: openAdmission(limits, () => Date.now()),
    local: async (serverName) => nodes?.local(serverName),
    plainHttp: false,
    observe: () => undefined,
    report: (error) => console.error(error),
  });
  const sqlite = openSqlite(":memory:");
  const { mailbox, arrivals } = withArrivals(sqliteMailbox(sqlite, { bytes: 1 << 24, entries: 100 }));
  const values = readValues({
    args: ["--name", name, "--data", "/nowhere"],
    env: {},
    readFile: () => "",
  });
  if (typeof values === "string") throw new Error(values);
  nodes = await openNodes(
    { documents: sqliteDocuments(sqlite), mailbox, arrivals, checks: {}, close: async () => undefined },
    {
      config: completeConfig(values, {}),
      ...{ version: "1", metrics: openMetrics(), egress, wakeUp: noWakeUp },
      log: openLog("warn", (line) => console.error(line), Date.now),
      delegation: async () => undefined,
    },
  );
  const { link } = nodes;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => undefined },
    async (request) => {
      const answered = await link(request, { ...caller, secure: false });
      return answered ?? new Response(null, { status: 404 });
    },
  );
  atTheEnd(async () => {
    await nodes?.close("The test is over.", 0);
    await server.shutdown();
    client.close();
    sqlite.close();
  });
  const at = `127.0.0.1:${server.addr.port}${LINK_PATH}`;
  return { name, addresses: { websocket: `ws://${at}`, fetch: `http://${at}` }, mailbox };
}
