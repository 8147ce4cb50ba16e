import * as v from "valibot";
import { MatrixError } from "../matrix/errors.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

export const clientSecret = v.pipe(
  v.string(),
  v.regex(/^[0-9a-zA-Z.=_-]{1,255}$/, "is made of 1 to 255 of 0-9, a-z, A-Z and . = _ -"),
);
const common = { client_secret: clientSecret, send_attempt: v.pipe(v.number(), v.integer("is an integer")) };

const bodies = {
  email: v.object({ ...common, email: v.string() }),
  msisdn: v.object({ ...common, country: v.string(), phone_number: v.string() }),
};

/**
 * Asks for a message to an e-mail address or phone number, at `/{medium}/requestToken` below a path. There is nobody to
 * run a mail server for a page, so none is ever sent: clients ask all the same, and each gets the answer that the spec
 * has for its case.
 */
export const refusedValidations = (path: string, errcode: string, status: 400 | 403): Endpoint[] =>
  (["email", "msisdn"] as const).map((medium) =>
    endpoint(
      {
        method: "POST",
        path: `/_matrix/client/v3${path}/${medium}/requestToken`,
        auth: "none",
        limit: "register",
        body: bodies[medium],
        response: v.never(),
      },
      () =>
        Promise.reject(
          new MatrixError(errcode, status, "This server takes no e-mail addresses or phone numbers."),
        ),
    ),
  );
