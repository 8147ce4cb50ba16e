import * as v from "valibot";
import { booleanParameter, writtenAnswer } from "../door/schemas.ts";
import type { StateSection } from "../worker-roomserver/sync/api.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** A service worker may be stopped while an answer is pending: no poll is left open for longer. Milliseconds. */
const LONGEST_WAIT = 25_000;

/** Whatever a client asks for past the limit, also a number past all sense, is the longest wait. */
export const timeoutParameter = v.optional(
  v.pipe(
    v.string(),
    v.regex(/^\d+$/, "should be a number of milliseconds, 0 or more"),
    v.transform((text) => Math.min(Number(text), LONGEST_WAIT)),
  ),
  "0",
);

export const presenceParameter = v.optional(v.picklist(["online", "offline", "unavailable"]), "online");

const query = v.object({
  filter: v.optional(v.string()),
  since: v.optional(v.string()),
  full_state: v.optional(booleanParameter),
  set_presence: presenceParameter,
  timeout: timeoutParameter,
  use_state_after: v.optional(booleanParameter),
  "org.matrix.msc4222.use_state_after": v.optional(booleanParameter),
});

/** Ends a wait when its client has gone. */
export async function untilGone<T>(
  waits: { cancel: (name: string) => Promise<void> },
  signal: AbortSignal,
  wait: (name: string) => Promise<T>,
): Promise<T> {
  const name = crypto.randomUUID();
  const cancel = () => void waits.cancel(name);
  signal.addEventListener("abort", cancel, { once: true });
  try {
    return await wait(name);
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

/** A client that asks under both names knows the stable one; one that asks under the other may know only that. */
function stateSection(asked: v.InferOutput<typeof query>): StateSection {
  if (asked.use_state_after === true) return "state_after";
  return asked["org.matrix.msc4222.use_state_after"] === true ? "org.matrix.msc4222.state_after" : "state";
}

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync */
const sync = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/sync",
    auth: "guest",
    limit: "none", // a client polls as often as it is answered, and a long poll answers when there is something
    query,
    response: writtenAnswer,
  },
  ({ node, requester, query: asked, signal }) =>
    untilGone(node.sync, signal, (name) =>
      node.sync.sync(
        requester,
        {
          filter: asked.filter,
          since: asked.since,
          fullState: asked.full_state ?? false,
          setPresence: asked.set_presence,
          timeout: signal.aborted ? 0 : asked.timeout,
          stateSection: stateSection(asked),
        },
        name,
      ),
    ),
);

export const syncEndpoints: Endpoint[] = [sync];
