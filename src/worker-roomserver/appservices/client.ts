import type { Registration } from "../../matrix/appservices/registration.ts";
import type { Egress } from "../egress/api.ts";

/** `path`: below the service's URL, with its query. `timeout`: milliseconds. `body`: JSON text. */
export type AppServiceCall = {
  method: "GET" | "PUT" | "POST";
  path: string;
  body?: string;
  timeout: number;
};

export type AppServiceAnswer = { status: number; body: string };

/** There was no answer: none in time, or no way to the service. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
  readonly why: "timeout" | "connection";
  constructor(why: "timeout" | "connection", message: string) {
    super(message);
    this.why = why;
  }
}

/** Where a service is reached. Whoever plugs in a service that lives in a page gives a client of their own. */
export type AppServiceClient = (
  service: Pick<Registration, "hsToken"> & { url: string },
  call: AppServiceCall,
) => Promise<AppServiceAnswer>;

/** Answers are short, or lists of what was found: past this something is wrong. */
const MAX_ANSWER = 1024 * 1024;

/** Services by HTTP. @throws NoAnswer */
export function clientOf(egress: Egress): AppServiceClient {
  return async ({ url, hsToken }, { method, path, body, timeout }) => {
    try {
      const { status, body: bytes } = await egress({
        method,
        url: url + path,
        headers: {
          Authorization: `Bearer ${hsToken}`,
          ...(body !== undefined && { "Content-Type": "application/json" }),
        },
        ...(body !== undefined && { body }),
        timeout,
        maxBytes: MAX_ANSWER,
        hosts: "any",
      });
      return { status, body: new TextDecoder().decode(bytes) };
    } catch (error) {
      const isLate = error instanceof Error && error.name === "TimeoutError";
      throw new NoAnswer(isLate ? "timeout" : "connection", String(error));
    }
  };
}
