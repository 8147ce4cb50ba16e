import { forbidden, MatrixError } from "../../matrix/errors.ts";
import type { Requester } from "../node/requester.ts";
import { type AppServiceAnswer, type AppServiceClient, NoAnswer } from "./client.ts";
import type { Registry } from "./registry.ts";
import type { Service } from "./service.ts";

const TIMEOUT_MS = 15_000;
/** Characters of an answer that are shown to the service's maker. */
const SHOWN = 2_000;

/** The service whose token a request came with. @throws MatrixError M_FORBIDDEN 403 */
export function serviceOf(registry: Registry, requester: Requester): Service {
  const service = requester.appService && registry.get(requester.appService.id);
  if (service === undefined) throw forbidden("This is for application services, with their as_token.");
  return service;
}

/** @returns milliseconds. See AppServices.ping */
export async function ping(
  service: Service,
  transactionId: string | undefined,
  { client, now }: { client: AppServiceClient; now: () => number },
): Promise<number> {
  const { url, hsToken } = service.registration;
  if (url === null)
    throw new MatrixError("M_URL_NOT_SET", 400, "The registration of the service has no URL.");
  const body = JSON.stringify(transactionId === undefined ? {} : { transaction_id: transactionId });
  const begun = now();
  const { status, body: said } = await answered(
    client({ url, hsToken }, { method: "POST", path: "/_matrix/app/v1/ping", body, timeout: TIMEOUT_MS }),
  );
  if (status === 200) return Math.max(0, Math.round(now() - begun));
  const extra = { status, body: said.slice(0, SHOWN) };
  throw new MatrixError("M_BAD_STATUS", 502, `The service answered with the status ${status}.`, extra);
}

async function answered(call: Promise<AppServiceAnswer>): Promise<AppServiceAnswer> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    if (error.why === "timeout") {
      throw new MatrixError("M_CONNECTION_TIMEOUT", 504, "The service did not answer in time.");
    }
    throw new MatrixError("M_CONNECTION_FAILED", 502, `The service cannot be reached: ${error.message}`);
  }
}
