import * as v from "valibot";
import type { NameAnswer, NodeStatus, TakenBack } from "../../link/relay-api.ts";
import { equalBytes } from "../../matrix/ed25519-rules.ts";
import { badJson, forbidden, invalidParam, MatrixError } from "../../matrix/errors.ts";
import { isUserId, serverNameOf } from "../../matrix/identifiers.ts";
import type { JsonObject } from "../../matrix/json.ts";
import { readServerKeys } from "../../matrix/server-keys.ts";
import { CLIENT_API, type ClientApi, SERVER_KEYS } from "../names/documents.ts";
import type { Endpoint } from "./parts.ts";

const object = v.record(v.string(), v.unknown());
const keysByDevice = v.record(v.string(), object);
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const keyDeposit = v.object({
  devices: object,
  device_keys: object,
  master_key: v.optional(object),
  self_signing_key: v.optional(object),
  one_time_keys: keysByDevice,
  fallback_keys: keysByDevice,
  taken_back: v.optional(count),
});

const base64Url = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]+={0,2}$/), v.maxLength(128));
const subscription = v.object({
  endpoint: v.pipe(v.string(), v.maxLength(2048), v.startsWith("https://")),
  keys: v.object({ p256dh: base64Url, auth: base64Url }),
});

export const presence: Endpoint = async ({ sessions }, { owner, body }) => {
  const { asleep } = read(v.object({ asleep: v.boolean() }), body);
  await sessions.setAsleep(owner, asleep);
  return {};
};

export const serverKeys: Endpoint = async ({ documents, names, ed25519 }, { owner, body }) => {
  const { document } = read(v.object({ document: object }), body);
  const json = document as JsonObject;
  const { keys } = await readServerKeys(json, owner, ed25519);
  const own = await names.keyOf(owner);
  if (own === undefined || ![...keys.values()].some((key) => equalBytes(key, own))) {
    throw forbidden("The key document is not signed with the key of this session.");
  }
  const isOlder = (now: JsonObject | undefined) =>
    now !== undefined && Number(now.valid_until_ts) > Number(json.valid_until_ts);
  // One that was sent again late does not take the place of its successor.
  await documents.change<JsonObject, void>(SERVER_KEYS, owner, (now) =>
    isOlder(now) ? { result: undefined } : { to: json, result: undefined },
  );
  return {};
};

export const depositKeys: Endpoint = async ({ keyMailbox }, { owner, name, body }) => {
  if (!isUserId(name) || serverNameOf(name) !== owner) throw invalidParam("This is no user of this server.");
  await keyMailbox.deposit(owner, name, read(keyDeposit, body));
  return {};
};

export const takeKeysBack: Endpoint = async ({ keyMailbox }, { owner, body }): Promise<TakenBack> => {
  const { acknowledge } = read(v.object({ acknowledge: v.optional(count) }), body ?? {});
  return keyMailbox.takeBack(owner, acknowledge);
};

export const wakeUp: Endpoint = async (parts, { owner, body }) => {
  const given = read(v.object({ subscription: v.nullable(subscription) }), body);
  await parts.wakeUp.subscribe(owner, given.subscription);
  return {};
};

export const clientApi: Endpoint = async ({ documents }, { owner, body }) => {
  const { open } = read(v.object({ open: v.boolean() }), body);
  await documents.change<ClientApi, void>(CLIENT_API, owner, () => ({ to: { open }, result: undefined }));
  return {};
};

export const claimName: Endpoint = async ({ names }, { owner, body }): Promise<NameAnswer> => {
  const { label } = read(v.object({ label: v.string() }), body);
  return { name: await names.claim(owner, label) };
};

export const status: Endpoint = async (parts, { owner }): Promise<NodeStatus> => ({
  asleep: !(await parts.sessions.isAwake(owner)),
  mailbox: await parts.mailbox.backlog(owner),
  names: await parts.names.namesOf(owner),
  client_api: (await parts.documents.read<ClientApi>(CLIENT_API, owner))?.open === true,
  wake_up: await parts.wakeUp.isSubscribed(owner),
});

/** @throws {MatrixError} M_BAD_JSON (400), which names the member */
function read<Schema extends v.GenericSchema>(schema: Schema, body: unknown): v.InferOutput<Schema> {
  if (body === undefined) throw new MatrixError("M_NOT_JSON", 400, "This needs a body of JSON.");
  const result = v.safeParse(schema, body);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw badJson(`${v.getDotPath(issue) ?? "The body"}: ${issue.message}`);
}
