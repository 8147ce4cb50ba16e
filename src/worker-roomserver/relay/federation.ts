import type { LinkHandler, LinkRequest, LinkResponse } from "../../link/api.ts";
import { encodeBase64 } from "../../matrix/base64.ts";
import { invalidParam, tooLarge, unrecognized } from "../../matrix/errors.ts";
import type { SigningKey } from "../../matrix/signing.ts";
import { readAuthorization } from "../../matrix/x-matrix.ts";
import { headerOf, jsonAnswer } from "./answers.ts";
import { BodyTooLong, readBody } from "./bodies.ts";
import type { StoredInbox } from "./inbox.ts";
import { serverKeyDocument } from "./server-keys.ts";

/** 50 PDUs of 64 KiB and 100 EDUs, with room for what they are wrapped in. */
const MAX_TRANSACTION_BYTES = 10 * 1024 * 1024;

export type FederationOptions = {
  serverName: string;
  key: SigningKey;
  /** Milliseconds since 1970. */
  now: () => number;
  inbox: Pick<StoredInbox, "add">;
  /** Of this software. */
  version: string;
};

/**
 * What other servers can ask as long as there is no federation: who this is, and to take what they send. Transactions
 * wait in the inbox as those from a mailbox do, and their signatures are looked at by who takes them out.
 */
export function federationHandler({ serverName, key, now, inbox, version }: FederationOptions): LinkHandler {
  const send = async (request: LinkRequest, transactionId: string): Promise<LinkResponse> => {
    const authorization = headerOf(request, "authorization");
    const { origin, destination } = readAuthorization(authorization);
    if (destination !== undefined && destination !== serverName) {
      throw invalidParam("This transaction is for another server.");
    }
    await inbox.add({
      ...{ origin, transactionId, authorization },
      ...{ method: request.method, uri: request.target },
      body: encodeBase64(await transactionOf(request)),
      receivedAt: now(),
    });
    return jsonAnswer({ pdus: {} });
  };
  return async (request) => {
    const { pathname } = new URL(request.target, "https://node.invalid");
    const transactionId = /^\/_matrix\/federation\/v1\/send\/([^/]+)$/.exec(pathname)?.[1];
    if (request.method === "PUT" && transactionId !== undefined) {
      return send(request, decoded(transactionId));
    }
    if (request.method !== "GET") throw nothingThere();
    if (pathname === "/_matrix/federation/v1/version") {
      return jsonAnswer({ server: { name: "Hearth", version } });
    }
    // With the id of a key, as it used to be asked, the answer is the same.
    if (/^\/_matrix\/key\/v2\/server(\/[^/]*)?$/.test(pathname)) {
      return jsonAnswer(await serverKeyDocument(serverName, key, now()));
    }
    throw nothingThere();
  };
}

const nothingThere = () => unrecognized("There is no such endpoint on this homeserver.");

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidParam("The transaction ID is not percent-encoded UTF-8.");
  }
}

async function transactionOf(request: LinkRequest): Promise<Uint8Array> {
  try {
    return await readBody(request.body, MAX_TRANSACTION_BYTES);
  } catch (error) {
    throw error instanceof BodyTooLong ? tooLarge(error.message) : error;
  }
}
