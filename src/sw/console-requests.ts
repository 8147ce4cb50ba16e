import * as v from "valibot";
import type { Method } from "../door/path-router.ts";
import { type Description, type Endpoint, endpoint } from "./endpoint.ts";
import { untilGone } from "./sync.ts";

/*
 * The owner's API under /_hearth/v1. What there is, and what its requests have to be, the worker says (console/): here they
 * are only known as an administrator's.
 */

const shared = { path: "/_hearth/v1/**", auth: "admin", response: v.unknown() } as const;

const passedOn = <D extends Description & typeof shared>(description: D): Endpoint =>
  endpoint<Description & typeof shared>(description, ({ node, requester, request, target, body, signal }) =>
    untilGone(node.console, signal, (name) =>
      node.console.answer(
        { requester, request, method: description.method, target, body: body as Blob | undefined },
        name,
      ),
    ),
  );

const writing = (method: Method) =>
  passedOn({
    ...shared,
    method,
    limit: "write",
    body: v.unknown(),
    bodyFormat: "bytes",
    revokes: true, // whatever it was: administrators do not write often
  });

const openApi = endpoint(
  {
    method: "GET",
    path: "/_hearth/v1/openapi.json",
    auth: "none",
    limit: "read",
    response: v.unknown(),
  },
  ({ node }) => node.console.openApi(),
);

export const consoleRequests: Endpoint[] = [
  openApi,
  passedOn({ ...shared, method: "GET", limit: "read" }),
  writing("PUT"),
  writing("POST"),
  writing("DELETE"),
];
