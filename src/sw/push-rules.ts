import * as v from "valibot";
import { notFound } from "../matrix/errors.ts";
import { type PushRule, RULE_KINDS, type RuleKind } from "../matrix/push-rules/ruleset.ts";
import type { Node } from "../worker-roomserver/node/api.ts";
import type { Requester } from "../worker-roomserver/node/requester.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { jsonObject } from "./schemas.ts";

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
  ({ node, requester, params }) => findRule(node, requester, params.kind, params.ruleId),
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
    const found = await findRule(node, requester, params.kind, params.ruleId);
    return { enabled: found.enabled };
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
    const found = await findRule(node, requester, params.kind, params.ruleId);
    return { actions: found.actions };
  },
);

async function findRule(node: Node, requester: Requester, kind: RuleKind, ruleId: string): Promise<PushRule> {
  const { global } = await node.push.rules(requester);
  const found = global[kind].find((one) => one.rule_id === ruleId);
  if (found === undefined) throw notFound("There is no such push rule.");
  return found;
}

export const pushRulesEndpoints: Endpoint[] = [rules, globalRules, rule, enabled, actions];
