import * as v from "valibot";
import { jsonObject } from "../door/schemas.ts";
import { MatrixError } from "../matrix/errors.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { clientSecret, refusedValidations } from "./threepid-validation.ts";

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

/** Adding an address that has been validated, which none has been. */
const refused = (path: string, body: v.GenericSchema, errcode: string, status: 400 | 403) =>
  endpoint(
    {
      method: "POST",
      path: `/_matrix/client/v3/account/3pid${path}`,
      auth: "user",
      limit: "register",
      body,
      response: v.never(),
    },
    () =>
      Promise.reject(
        new MatrixError(errcode, status, "This server takes no e-mail addresses or phone numbers."),
      ),
  );

/** There is nothing to take away, and no identity server is known that could be told. */
const takeAway = (verb: "delete" | "unbind") =>
  endpoint(
    {
      method: "POST",
      path: `/_matrix/client/v3/account/3pid/${verb}`,
      auth: "user",
      limit: "write",
      body: v.object({ medium: v.picklist(["email", "msisdn"]), address: v.string() }),
      response: v.object({ id_server_unbind_result: v.literal("no-support") }),
    },
    async () => ({ id_server_unbind_result: "no-support" }),
  );

const validated = { client_secret: clientSecret, sid: v.string() };
const bound = v.object({ ...validated, id_server: v.string(), id_access_token: v.string() });

/** @see https://spec.matrix.org/v1.19/client-server-api/#adding-account-administrative-contact-information */
export const administrativeContactEndpoints: Endpoint[] = [
  list,
  refused("", v.object({ three_pid_creds: jsonObject }), "M_THREEPID_AUTH_FAILED", 403),
  refused("/add", v.object(validated), "M_THREEPID_AUTH_FAILED", 400),
  refused("/bind", bound, "M_SERVER_NOT_TRUSTED", 400),
  takeAway("delete"),
  takeAway("unbind"),
  ...refusedValidations("/account/3pid", "M_THREEPID_MEDIUM_NOT_SUPPORTED", 400),
];
