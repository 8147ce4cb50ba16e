import * as v from "valibot";
import { MatrixError } from "../matrix/errors.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/*
 * This server keeps no e-mail addresses and phone numbers: there is nobody to run a mail server for a page. Clients
 * ask all the same, and each gets the answer that the spec has for it.
 */

const noAddresses = (errcode: string, status: number) => () =>
  Promise.reject(new MatrixError(errcode, status, "This server takes no e-mail addresses or phone numbers."));

const threepids: [] = [];

const list = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/account/3pid",
    auth: "user",
    limit: "read",
    response: v.object({ threepids: v.tuple([]) }),
  },
  async () => ({ threepids }),
);

const refused = (
  path: `/${string}`,
  auth: "user" | "none",
  [errcode, status]: [errcode: string, status: number],
) =>
  endpoint(
    {
      method: "POST",
      path: `/_matrix/client/v3/account/3pid${path === "/" ? "" : path}`,
      auth,
      limit: "register",
      response: v.never(),
    },
    noAddresses(errcode, status),
  );

/** There is nothing to take away, and no identity server is known that could be told. */
const takeAway = (verb: "delete" | "unbind") =>
  endpoint(
    {
      method: "POST",
      path: `/_matrix/client/v3/account/3pid/${verb}`,
      auth: "user",
      limit: "write",
      body: v.object({ medium: v.string(), address: v.string() }),
      response: v.object({ id_server_unbind_result: v.literal("no-support") }),
    },
    async () => ({ id_server_unbind_result: "no-support" }),
  );

/** @see https://spec.matrix.org/v1.19/client-server-api/#adding-account-administrative-contact-information */
export const administrativeContactEndpoints: Endpoint[] = [
  list,
  refused("/", "user", ["M_THREEPID_AUTH_FAILED", 403]),
  refused("/add", "user", ["M_THREEPID_AUTH_FAILED", 400]),
  refused("/bind", "user", ["M_SERVER_NOT_TRUSTED", 400]),
  takeAway("delete"),
  takeAway("unbind"),
  refused("/email/requestToken", "none", ["M_THREEPID_MEDIUM_NOT_SUPPORTED", 400]),
  refused("/msisdn/requestToken", "none", ["M_THREEPID_MEDIUM_NOT_SUPPORTED", 400]),
];
