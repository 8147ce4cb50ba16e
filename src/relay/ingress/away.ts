import { forbidden, notFound } from "../../matrix/errors.ts";
import { isUserId } from "../../matrix/identifiers.ts";
import type { JsonValue } from "../../matrix/json.ts";
import { parseBody } from "../body.ts";
import { readKeyClaim, readKeyQuery } from "../key-mailbox/wanted.ts";
import { SERVER_KEYS } from "../names/documents.ts";
import { decodeSegment } from "../paths.ts";
import { jsonAnswer } from "./answers.ts";
import type { Arrived } from "./arrived.ts";
import type { Ingress } from "./parts.ts";
import { authOf, checkSignature, signedRequest } from "./who.ts";

/** A request that is answered for a node while it is away. */
export type AwayAnswer = (
  ingress: Ingress,
  arrived: Arrived,
  node: string,
  body: Uint8Array,
) => Promise<Response>;

/** Milliseconds to find the key of who asks. */
const KEY_TIME = 2000;

const keys = /^\/_matrix\/key\/v2\/server(?:\/[^/]*)?$/;
const devices = /^\/_matrix\/federation\/v1\/user\/devices\/([^/]+)$/;

/** Who answers this for a node that is away. Undefined: nobody. */
export function awayAnswer(method: string, path: string): AwayAnswer | undefined {
  if (method === "GET" || method === "HEAD") {
    if (keys.test(path)) return serverKeys;
    if (path === "/_matrix/federation/v1/version") return version;
    const userId = devices.exec(path)?.[1];
    if (userId !== undefined) return userDevices(decodeSegment(userId));
  }
  if (method === "POST") {
    if (path === "/_matrix/federation/v1/user/keys/query") return queryKeys;
    if (path === "/_matrix/federation/v1/user/keys/claim") return claimKeys;
  }
  return undefined;
}

/** Not 5xx, 429 or 401: those make others turn away from the node for everything, and for long. */
export const isAway = () => notFound("This server is away: it cannot answer this now.");

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixkeyv2server */
const serverKeys: AwayAnswer = async ({ documents }, _arrived, node) => {
  const document = await documents.read<JsonValue>(SERVER_KEYS, node);
  if (document === undefined) throw isAway();
  return jsonAnswer(document);
};

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1version */
const version: AwayAnswer = async (ingress) =>
  jsonAnswer({ server: { name: "Hearth", version: ingress.version } });

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1userdevicesuserid */
const userDevices =
  (userId: string): AwayAnswer =>
  async (ingress, arrived, node, body) => {
    await requireSigned(ingress, arrived, node, body);
    const found = isUserId(userId) ? await ingress.keyMailbox.devices(node, userId) : undefined;
    if (found === undefined) throw isAway();
    return jsonAnswer(found);
  };

/** @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysquery */
const queryKeys: AwayAnswer = async (ingress, arrived, node, body) => {
  await requireSigned(ingress, arrived, node, body);
  const found = await ingress.keyMailbox.query(node, readKeyQuery(parseBody(body)));
  if (found === undefined) throw isAway();
  return jsonAnswer(found);
};

/** @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysclaim */
const claimKeys: AwayAnswer = async (ingress, arrived, node, body) => {
  await requireSigned(ingress, arrived, node, body);
  const found = await ingress.keyMailbox.claim(node, readKeyClaim(parseBody(body)));
  if (found === undefined) throw isAway();
  return jsonAnswer(found);
};

/** @throws {MatrixError} M_UNAUTHORIZED (401), M_FORBIDDEN (403) for somebody whose key cannot be had just now */
async function requireSigned(ingress: Ingress, arrived: Arrived, node: string, body: Uint8Array) {
  const auth = authOf(arrived);
  const request = signedRequest(arrived, auth, node, body);
  if ((await checkSignature(ingress, request, auth, KEY_TIME)) === "unknown") {
    throw forbidden(`The keys of ${auth.origin} could not be fetched to check who asks.`);
  }
}
