import { serve } from "../../room-server/worker/serve.ts";
import type { Measurements } from "../results.ts";
import { catchUp } from "./catch-up.ts";
import { manyServers } from "./many-servers.ts";

/*
 * The thread that a whole node is measured in, as in the page: a dedicated worker.
 */

serve<Measurements>({ catchUp, manyServers });
