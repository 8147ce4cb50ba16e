// A relay of a cluster in a process of its own: `deno run … SERVERS REPLICAS PREFIX`. Prints one line of JSON when it is
// ready.
import { startClusterRelay } from "./cluster-relay.ts";

const [servers = "", replicas = "1", prefix = ""] = Deno.args;
const { origin, addresses } = await startClusterRelay(servers.split(","), Number(replicas), prefix);
console.log(JSON.stringify({ origin, addresses }));
