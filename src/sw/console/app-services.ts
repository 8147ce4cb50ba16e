import * as v from "valibot";
import { emptyAnswer } from "../../door/schemas.ts";
import { notFound, notJson, tooLarge } from "../../matrix/errors.ts";
import type { AppServiceStatus } from "../../worker-roomserver/appservices/api.ts";
import { maxBodyBytes } from "../body.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { count, reads, timestamp, writes } from "./schemas.ts";

const namespaces = v.array(v.strictObject({ regex: v.string(), exclusive: v.boolean() }));

const service = v.strictObject({
  id: v.string(),
  url: v.pipe(v.nullable(v.string()), v.description("null: nothing is sent to it")),
  sender: v.pipe(v.string(), v.description("user ID")),
  namespaces: v.strictObject({ users: namespaces, aliases: namespaces, rooms: namespaces }),
  rate_limited: v.boolean(),
  protocols: v.array(v.string()),
  receive_ephemeral: v.boolean(),
  receive_to_device: v.boolean(),
  failing: v.pipe(
    v.nullable(v.strictObject({ failures: count, retry_ts: timestamp })),
    v.description("of the transaction that it has not taken yet; null where it takes what it is sent"),
  ),
  last_error: v.pipe(v.string(), v.description("of this tab's time; empty for none")),
});

const path = "/_hearth/v1/app_services";
const params = v.object({ serviceId: v.string() });

const list = endpoint(
  {
    ...reads,
    operationId: "listAppServices",
    summary: "The registered application services, without their tokens.",
    path,
    response: v.strictObject({ app_services: v.array(service) }),
  },
  async ({ node }) => ({ app_services: (await node.appServices.list()).map(shown) }),
);

const add = endpoint(
  {
    ...writes,
    method: "POST",
    operationId: "registerAppService",
    summary: "Registers a service by its YAML file, as bridges write it.",
    path,
    body: v.instance(Blob),
    bodyFormat: "bytes",
    response: service,
  },
  async ({ node, body }) => {
    if (body.size > maxBodyBytes) throw tooLarge(`A registration has at most ${maxBodyBytes} bytes.`);
    return shown(await node.appServices.add(await textOf(body)));
  },
);

const get = endpoint(
  {
    ...reads,
    operationId: "getAppService",
    summary: "One service, and how far what it is sent has come.",
    path: `${path}/{serviceId}`,
    params,
    response: service,
  },
  async ({ node, params }) => {
    const found = (await node.appServices.list()).find(({ id }) => id === params.serviceId);
    if (found === undefined) throw notFound("There is no such application service.");
    return shown(found);
  },
);

const remove = endpoint(
  {
    ...writes,
    method: "DELETE",
    operationId: "removeAppService",
    summary: "Ends a service and its token. Its users and rooms stay.",
    path: `${path}/{serviceId}`,
    params,
    response: emptyAnswer,
  },
  async ({ node, params }) => {
    await node.appServices.remove(params.serviceId);
    return {};
  },
);

const ping = endpoint(
  {
    ...writes,
    method: "POST",
    operationId: "pingAppService",
    summary: "Asks a service whether it is there; what it has not taken is then sent again at once.",
    path: `${path}/{serviceId}/ping`,
    params,
    response: v.strictObject({ duration_ms: v.number() }),
  },
  ({ node, params }) => node.appServices.pingById(params.serviceId),
);

function shown({ failing, ...status }: AppServiceStatus) {
  const { id, url, sender, namespaces, rateLimited, protocols, receiveEphemeral, receiveToDevice } = status;
  return {
    ...{ id, url, sender, namespaces, protocols },
    rate_limited: rateLimited,
    receive_ephemeral: receiveEphemeral,
    receive_to_device: receiveToDevice,
    failing: failing && { failures: failing.failures, retry_ts: failing.retryAt },
    last_error: status.lastError,
  };
}

async function textOf(body: Blob): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await body.arrayBuffer());
  } catch (error) {
    if (error instanceof TypeError) throw notJson("The registration is not UTF-8.");
    throw error;
  }
}

export const appServicesConsoleEndpoints: Endpoint[] = [list, add, get, remove, ping];
