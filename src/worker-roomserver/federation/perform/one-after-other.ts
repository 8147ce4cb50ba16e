import type { MatrixError } from "../../../matrix/errors.ts";
import type { ServerName } from "../../../matrix/server-names.ts";
import { refusalOf, together } from "./refusals.ts";

/** When that is over no further server is asked: hardly anybody waits for the answer any more. */
const GO_ON_FOR_MS = 120_000;

/**
 * Asks servers one after the other until one does what is wanted.
 * @param now - milliseconds since 1970
 * @throws MatrixError made of what each has refused with; at once, what is not any server's refusal, such as a full disk
 */
export async function oneAfterOther<T>(
  servers: readonly ServerName[],
  now: () => number,
  ask: (server: ServerName) => Promise<T>,
): Promise<T> {
  const refusals: MatrixError[] = [];
  const until = now() + GO_ON_FOR_MS;
  for (const server of servers) {
    if (refusals.length > 0 && now() > until) break;
    try {
      return await ask(server);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      refusals.push(refusal);
    }
  }
  throw together(refusals);
}
