import { MatrixError, notFound, unknown } from "../../../matrix/errors.ts";
import { FederationError } from "../api.ts";

/** Thrown for an answer of another server that is of no use. */
export class UselessAnswer extends Error {
  override readonly name = "UselessAnswer";

  constructor(server: string, why: string) {
    super(`${server}: ${why}`);
  }
}

/**
 * Runs what reads another server's answer: what is wrong with that is not the client's fault.
 * @throws UselessAnswer in place of MatrixErrors of a 400 and a 413
 */
export async function reading<T>(server: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof MatrixError) || (error.status !== 400 && error.status !== 413)) throw error;
    throw new UselessAnswer(server, error.message);
  }
}

/** Of a server's error, which a client may get. */
const MAX_TEXT = 300;

/** Errors between servers: to a client they would say something about its own request. */
const betweenServers = new Set([
  "M_MISSING_PARAM",
  "M_INVALID_PARAM",
  "M_BAD_JSON",
  "M_NOT_JSON",
  "M_UNAUTHORIZED",
  "M_MISSING_TOKEN",
  "M_UNKNOWN_TOKEN",
  "M_UNRECOGNIZED",
  "M_LIMIT_EXCEEDED",
]);

/** What a failure at one server is to a client; undefined for what is no such, and goes on as it is. */
export function refusalOf(error: unknown): MatrixError | undefined {
  if (error instanceof UselessAnswer) return unknown(error.message, 502);
  if (!(error instanceof FederationError)) return undefined;
  const { failure, destination, status = 0, error: body } = error;
  if (failure === "timeout") return unknown(error.message, 504);
  if (failure !== "answered" || body === undefined) return unknown(error.message, 502);
  const { errcode } = body;
  const text = typeof body.error === "string" ? body.error.slice(0, MAX_TEXT) : "";
  const why = `${destination} says: ${text === "" ? errcode.slice(0, MAX_TEXT) : text}`;
  const isForClients =
    status >= 400 &&
    status < 500 &&
    status !== 401 &&
    /^[A-Z][A-Z0-9_.]{0,99}$/i.test(errcode) &&
    !betweenServers.has(errcode);
  return isForClients ? new MatrixError(errcode, status, why) : unknown(why, 502);
}

/** How much a refusal tells: that a server is not in the room or not there says least. */
function weightOf({ status }: MatrixError): number {
  if (status === 404) return 1;
  return status < 500 ? 3 : 2;
}

/** One error of those of several servers: the one that tells most, with the others in its sentence. */
export function together(refusals: readonly MatrixError[]): MatrixError {
  const [telling, ...others] = refusals.toSorted((a, b) => weightOf(b) - weightOf(a));
  if (telling === undefined) return notFound("This server does not know the room, nor a server that may.");
  if (others.length === 0) return telling;
  const sentence = [telling, ...others].map(({ message }) => message).join(" | ");
  return new MatrixError(telling.errcode, telling.status, sentence);
}
