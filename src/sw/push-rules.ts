import * as v from "valibot";
import { emptyAnswer, jsonObject } from "../door/schemas.ts";
import type { JsonValue } from "../matrix/json.ts";
import { findRule } from "../matrix/push-rules/edit-rules.ts";
import { type PushAction, type PushCondition, RULE_KINDS } from "../matrix/push-rules/ruleset.ts";
import { isCondition, isKnownAction } from "../matrix/push-rules/shapes.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** A member of a list, handed on as it is. */
const listed = <T extends JsonValue>(is: (value: JsonValue) => value is T, what: string) =>
  v.pipe(
    v.unknown(),
    v.check((value) => is(value as JsonValue), `should be ${what}`),
    v.transform((value) => value as T),
  );

const action = listed<PushAction & JsonValue>(isKnownAction, '"notify", or an object with a "set_tweak"');
const condition = listed<PushCondition>(isCondition, "an object with a kind and the parameters of that kind");

const ruleParams = v.object({ kind: v.picklist(RULE_KINDS), ruleId: v.string() });

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrules */
const rules = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/pushrules/",
    auth: "user",
    limit: "read",
    response: v.object({ global: jsonObject }),
  },
  ({ node, requester }) => node.push.rules(requester),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobal */
const globalRules = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/pushrules/global/",
    auth: "user",
    limit: "read",
    response: jsonObject,
  },
  async ({ node, requester }) => (await node.push.rules(requester)).global,
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobalkindruleid */
const rule = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/pushrules/global/{kind}/{ruleId}",
    auth: "user",
    limit: "read",
    params: ruleParams,
    response: jsonObject,
  },
  async ({ node, requester, params }) =>
    findRule((await node.push.rules(requester)).global, params.kind, params.ruleId),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobalkindruleidenabled */
const enabled = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled",
    auth: "user",
    limit: "read",
    params: ruleParams,
    response: v.object({ enabled: v.boolean() }),
  },
  async ({ node, requester, params }) => {
    const { global } = await node.push.rules(requester);
    return { enabled: findRule(global, params.kind, params.ruleId).enabled };
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobalkindruleidactions */
const actions = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/pushrules/global/{kind}/{ruleId}/actions",
    auth: "user",
    limit: "read",
    params: ruleParams,
    response: v.object({ actions: v.array(v.unknown()) }),
  },
  async ({ node, requester, params }) => {
    const { global } = await node.push.rules(requester);
    return { actions: findRule(global, params.kind, params.ruleId).actions };
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleid */
const setRule = endpoint(
  {
    method: "PUT",
    path: "/_matrix/client/v3/pushrules/global/{kind}/{ruleId}",
    auth: "user",
    limit: "write",
    params: ruleParams,
    query: v.object({ before: v.optional(v.string()), after: v.optional(v.string()) }),
    body: v.object({
      actions: v.array(action),
      conditions: v.optional(v.array(condition)),
      pattern: v.optional(v.string()),
    }),
    response: emptyAnswer,
  },
  async ({ node, requester, params, query, body }) => {
    await node.push.setRule(requester, params.kind, params.ruleId, body, query);
    return {};
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3pushrulesglobalkindruleid */
const deleteRule = endpoint(
  {
    method: "DELETE",
    path: "/_matrix/client/v3/pushrules/global/{kind}/{ruleId}",
    auth: "user",
    limit: "write",
    params: ruleParams,
    response: emptyAnswer,
  },
  async ({ node, request, requester, params }) => {
    await node.push.deleteRule(request, requester, params.kind, params.ruleId);
    return {};
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleidenabled */
const setEnabled = endpoint(
  {
    method: "PUT",
    path: "/_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled",
    auth: "user",
    limit: "write",
    params: ruleParams,
    body: v.object({ enabled: v.boolean() }),
    response: emptyAnswer,
  },
  async ({ node, requester, params, body }) => {
    await node.push.changeRule(requester, params.kind, params.ruleId, body);
    return {};
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleidactions */
const setActions = endpoint(
  {
    method: "PUT",
    path: "/_matrix/client/v3/pushrules/global/{kind}/{ruleId}/actions",
    auth: "user",
    limit: "write",
    params: ruleParams,
    body: v.object({ actions: v.array(action) }),
    response: emptyAnswer,
  },
  async ({ node, requester, params, body }) => {
    await node.push.changeRule(requester, params.kind, params.ruleId, body);
    return {};
  },
);

export const pushRulesEndpoints: Endpoint[] = [
  rules,
  globalRules,
  rule,
  setRule,
  deleteRule,
  enabled,
  setEnabled,
  actions,
  setActions,
];
