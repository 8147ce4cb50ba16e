import { badJson, forbidden, MatrixError, unrecognized } from "../../matrix/errors.ts";
import { isUserId, serverNameOf } from "../../matrix/identifiers.ts";
import type { JsonValue } from "../../matrix/json.ts";
import { sliceMembers } from "../../matrix/json-slices.ts";
import { type RequestAuth, unauthorized } from "../../matrix/x-matrix.ts";
import { parseBody, readBody, textOf } from "../body.ts";
import type { Entry } from "../mailbox/api.ts";
import { decodeSegment } from "../paths.ts";
import { jsonAnswer, textAnswer } from "./answers.ts";
import type { Arrived } from "./arrived.ts";
import type { Ingress } from "./parts.ts";
import { storeMail } from "./store-mail.ts";
import { authOf, checkSignature, requireJsonObject, signedRequest } from "./who.ts";

// Dendrite's relay API: relayapi/ARCHITECTURE.md of matrix-org/dendrite has paths, bodies, limits and status codes.
const sendRelay = /^\/_matrix\/federation\/v1\/send_relay\/([^/]+)\/([^/]+)$/;
const relayTxn = /^\/_matrix\/federation\/v1\/relay_txn\/([^/]+)$/;

/** Milliseconds to find the key of who asks. */
const KEY_TIME = 900;
const MAX_QUESTION = 4096;

/** @returns undefined for another path */
export function dendriteApi(ingress: Ingress, arrived: Arrived, path: string): Promise<Response> | undefined {
  const { method } = arrived;
  const [, txnId, recipient] = sendRelay.exec(path) ?? [];
  if (txnId !== undefined && recipient !== undefined) {
    if (method !== "PUT") throw unrecognized("Transactions are sent with PUT.", 405);
    return takeIn(ingress, arrived, decodeSegment(txnId), decodeSegment(recipient));
  }
  const [, owner] = relayTxn.exec(path) ?? [];
  if (owner === undefined) return undefined;
  // POST is for those who cannot send a GET with a body, and want the signature to cover the entry.
  if (method !== "GET" && method !== "POST") throw unrecognized("Transactions are fetched with GET.", 405);
  return giveOut(ingress, arrived, decodeSegment(owner));
}

async function takeIn(ingress: Ingress, arrived: Arrived, txnId: string, recipient: string) {
  const auth = authOf(arrived);
  const node = await ownerOf(ingress, recipient, auth);
  const { limits, space, relayName } = ingress;
  const body = await readBody(arrived.body, { bytes: limits.transactionBytes, time: limits.bodyTime, space });
  try {
    const transaction = { node, destination: relayName, auth, txnId, body };
    const put = await storeMail(ingress, arrived, transaction, KEY_TIME);
    if (put === "full") {
      throw new MatrixError("M_RESOURCE_LIMIT_EXCEEDED", 500, "The mailbox of this server is full.");
    }
    return jsonAnswer({});
  } finally {
    space.give(body.length);
  }
}

async function giveOut(ingress: Ingress, arrived: Arrived, userId: string): Promise<Response> {
  const auth = authOf(arrived);
  const node = await ownerOf(ingress, userId, auth);
  if ((await ingress.names.nodeOf(auth.origin)) !== node) {
    throw forbidden("Only the owner of a name can fetch what is kept for it.");
  }
  const body = await readBody(arrived.body, { bytes: MAX_QUESTION, time: ingress.limits.bodyTime });
  const request = signedRequest(arrived, auth, ingress.relayName, body);
  if ((await checkSignature(ingress, request, auth, KEY_TIME)) === "unknown") {
    throw unauthorized(`The key of ${auth.origin} is not known.`);
  }
  const previous = previousEntry(arrived.target, body);
  if (previous > 0) await ingress.mailbox.acknowledge(node, previous);
  const taken = await ingress.mailbox.next(node, 0);
  if (taken === undefined) return jsonAnswer({ transaction: noTransaction, entries_queued: false });
  const { entry } = taken;
  // True even for the last one: whoever fetches asks again until it is false, and so acknowledges that one too.
  const rest = `"entry_id":${entry.id},"entries_queued":true`;
  return textAnswer(`{"transaction":${transactionText(entry, node)},${rest}}`);
}

const noTransaction = {
  transaction_id: "",
  origin: "",
  destination: "",
  origin_server_ts: 0,
  pdus: [],
} satisfies JsonValue;

/**
 * The node that the user is on.
 * @throws {MatrixError} M_INVALID_USERNAME (400), M_NOT_FOUND (404), M_UNAUTHORIZED (401) for what was meant for others
 */
async function ownerOf({ names, relayName }: Ingress, userId: string, auth: RequestAuth): Promise<string> {
  if (!isUserId(userId)) throw new MatrixError("M_INVALID_USERNAME", 400, "The user ID is invalid.");
  const node = await names.nodeOf(serverNameOf(userId));
  const { destination } = auth;
  if (destination !== undefined && destination !== relayName && (await names.nodeOf(destination)) !== node) {
    throw unauthorized("The request is signed for another relay.");
  }
  if (node === undefined)
    throw new MatrixError("M_NOT_FOUND", 404, "This relay keeps nothing for that server.");
  return node;
}

/** Dendrite has it in the body of a GET, which no browser can send: there it is in the query. */
function previousEntry(target: string, body: Uint8Array): number {
  const query = new URLSearchParams(target.slice(target.indexOf("?") + 1)).get("entry_id");
  const given = body.length > 0 ? requireJsonObject(parseBody(body)).entry_id : query;
  const entry = given === undefined || given === null ? 0 : Number(given);
  const isNumber = typeof given === "number" || given === query || given === undefined;
  if (!isNumber || given === "" || !Number.isSafeInteger(entry) || entry < 0) {
    throw badJson("Invalid entry id provided. Must be >= 0.");
  }
  return entry;
}

/** The transaction as Dendrite knows it. Events are passed on as they were written: hashes are over that. */
function transactionText({ origin, txnId, receivedAt, body }: Entry, node: string): string {
  const members = sliceMembers(textOf(body));
  const head = JSON.stringify({
    transaction_id: txnId,
    origin,
    destination: node,
    origin_server_ts: receivedAt,
  });
  const list = (name: string) => {
    const text = members.get(name) ?? "null";
    return `"${name}":${text.trim() === "null" ? "[]" : text}`;
  };
  return `${head.slice(0, -1)},${list("pdus")},${list("edus")}}`;
}
