import { MatrixError, notFound, unknown } from "../../../matrix/errors.ts";
import { FederationError } from "../api.ts";

const errcode = /^[A-Za-z0-9_.]{1,100}$/;
/** Of another server's words, as much as a client shows. */
const MAX_WORDS = 300;

/**
 * What a client is told when another server has not answered its question: its refusals, but none that would be taken for
 * one of the client's own session; 502 where it cannot be asked, 504 where it takes too long.
 * @param missing - a sentence, for what the other server does not have
 * @throws what is no failure of another server
 */
export function asMatrixError(error: unknown, missing: string): MatrixError {
  if (error instanceof MatrixError) return error;
  if (!(error instanceof FederationError)) throw error;
  const { failure, destination, status } = error;
  if (failure === "timeout") return unknown(`${destination} does not answer in time.`, 504);
  if (failure === "answered") {
    if (status === 404) return notFound(missing);
    if (status === 400 || status === 403) return refusal(error, status);
  }
  return unknown(`${destination} could not be asked, or not to any avail.`, 502);
}

function refusal({ destination, error }: FederationError, status: number): MatrixError {
  const words = typeof error?.error === "string" ? error.error.slice(0, MAX_WORDS) : "It refuses this.";
  const code = errcode.test(error?.errcode ?? "") ? error!.errcode : "M_UNKNOWN";
  return new MatrixError(code, status, `${destination}: ${words}`);
}
