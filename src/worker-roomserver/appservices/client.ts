import type { Registration } from "../../matrix/appservices/registration.ts";

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
