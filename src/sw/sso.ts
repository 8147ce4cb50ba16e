import * as v from "valibot";
import { notFound, unrecognized } from "../matrix/errors.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const query = v.object({ redirectUrl: v.string(), action: v.optional(v.picklist(["login", "register"])) });
const redirect = { method: "GET", auth: "none", limit: "read", query, response: v.never() } as const;

/** Nobody else is asked who somebody is: `GET /login` names no such flow, and who comes here has not looked there. */
const anyProvider = endpoint({ ...redirect, path: "/_matrix/client/v3/login/sso/redirect" }, () =>
  Promise.reject(unrecognized("This homeserver has no single sign-on: log in with your password.")),
);

const oneProvider = endpoint(
  {
    ...redirect,
    path: "/_matrix/client/v3/login/sso/redirect/{idpId}",
    params: v.object({ idpId: v.string() }),
  },
  () => Promise.reject(notFound("This homeserver knows no such identity provider.")),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#client-behaviour-for-sso */
export const ssoEndpoints: Endpoint[] = [anyProvider, oneProvider];
