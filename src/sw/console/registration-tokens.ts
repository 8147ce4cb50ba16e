import * as v from "valibot";
import { emptyAnswer } from "../../door/schemas.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { amount, count, reads, timestamp, writes } from "./schemas.ts";

const token = v.strictObject({
  token: v.string(),
  uses_allowed: v.pipe(
    v.nullable(count),
    v.description("how many accounts it is good for; null: any number"),
  ),
  completed: v.pipe(count, v.description("how many it was used for")),
  expiry_time: v.pipe(v.nullable(timestamp), v.description("null: never")),
});

const path = "/_hearth/v1/registration_tokens";
const params = v.object({ token: v.string() });
const wanted = {
  uses_allowed: v.optional(v.nullable(amount)),
  expiry_time: v.optional(v.nullable(amount)),
};

const list = endpoint(
  {
    ...reads,
    operationId: "listRegistrationTokens",
    summary: "All tokens that people can register with.",
    path,
    response: v.strictObject({ registration_tokens: v.array(token) }),
  },
  async ({ node }) => ({ registration_tokens: await node.usersConsole.registrationTokens() }),
);

const create = endpoint(
  {
    ...writes,
    method: "POST",
    operationId: "createRegistrationToken",
    summary: "Makes a token: a random one, where none is given.",
    path,
    body: v.object({ token: v.optional(v.string()), ...wanted }),
    optionalBody: true,
    response: token,
  },
  ({ node, request, body }) => node.usersConsole.createRegistrationToken(request, body),
);

const get = endpoint(
  {
    ...reads,
    operationId: "getRegistrationToken",
    summary: "One token.",
    path: `${path}/{token}`,
    params,
    response: token,
  },
  ({ node, params }) => node.usersConsole.registrationToken(params.token),
);

const change = endpoint(
  {
    ...writes,
    method: "PUT",
    operationId: "changeRegistrationToken",
    summary: "Changes what is named; null takes a limit away.",
    path: `${path}/{token}`,
    params,
    body: v.object(wanted),
    response: token,
  },
  ({ node, params, body }) => node.usersConsole.changeRegistrationToken(params.token, body),
);

const remove = endpoint(
  {
    ...writes,
    method: "DELETE",
    operationId: "deleteRegistrationToken",
    summary: "Removes a token. Whoever has registered with it stays.",
    path: `${path}/{token}`,
    params,
    response: emptyAnswer,
  },
  async ({ node, params }) => {
    await node.usersConsole.deleteRegistrationToken(params.token);
    return {};
  },
);

export const registrationTokensEndpoints: Endpoint[] = [list, create, get, change, remove];
