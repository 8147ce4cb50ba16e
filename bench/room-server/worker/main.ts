import type { Measurements } from "../results.ts";
import { openBigNode, readOldState } from "./big-node.ts";
import { joining } from "./joining.ts";
import { merging } from "./merging.ts";
import { replaying } from "./replaying.ts";
import { type Measuring, serve } from "./serve.ts";

/*
 * The thread that the room server is measured in, as in the page: a dedicated worker.
 */

const measurements: Measuring<Measurements> = { joining, replaying, merging, openBigNode, readOldState };

serve(measurements);
