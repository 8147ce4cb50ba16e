import * as v from "valibot";
import { MatrixError } from "../../../../matrix/errors.ts";

/** Whether what another server has sent is wrong, and not something here. */
export function isRefusal(error: unknown): boolean {
  return v.isValiError(error) || (error instanceof MatrixError && error.status < 500);
}
