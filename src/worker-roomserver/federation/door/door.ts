import { checkShape } from "../../../door/check-shape.ts";
import { createPathRouter } from "../../../door/path-router.ts";
import { parseQuery } from "../../../door/query.ts";
import { errorAnswer, headerOf } from "../../../link/answers.ts";
import type { LinkHandler, LinkRequest, LinkResponse } from "../../../link/api.ts";
import { BodyTooLong, readBody } from "../../../link/bodies.ts";
import type { Ed25519 } from "../../../matrix/ed25519-rules.ts";
import { badJson, notJson, tooLarge } from "../../../matrix/errors.ts";
import { isJsonObject, type JsonObject } from "../../../matrix/json.ts";
import { parseJsonText } from "../../../matrix/json-text.ts";
import type { ServerName } from "../../../matrix/server-names.ts";
import { readAuthorization, unauthorized, verifyRequest } from "../../../matrix/x-matrix.ts";
import type { KeyRing } from "../api.ts";
import { written } from "./answer.ts";
import type { Description, Endpoint } from "./endpoint.ts";

export type DoorOptions = {
  serverName: string;
  endpoints: readonly Endpoint[];
  keyRing: Pick<KeyRing, "keyFor">;
  ed25519: Ed25519;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Told who has asked, and proved it. */
  heardFrom: (serverName: string) => void;
};

const MAX_BODY_BYTES = 1024 * 1024;

/** The one way in for other servers: what an endpoint's description promises has been checked when it is called. */
export function createDoor({
  serverName,
  endpoints,
  keyRing,
  ed25519,
  now,
  heardFrom,
}: DoorOptions): LinkHandler {
  const route = createPathRouter(
    endpoints.map((target) => {
      const { method, path, before = [] } = target.description;
      return { method, path, before, target };
    }),
  );

  async function authenticate(request: LinkRequest, content: JsonObject | undefined): Promise<ServerName> {
    const { origin, destination, signatures } = readAuthorization(headerOf(request, "authorization"));
    if (destination !== undefined && destination !== serverName) {
      throw unauthorized("This request is for another server.");
    }
    const signed = { method: request.method, uri: request.target, origin, destination: serverName, content };
    for (const signature of signatures) {
      const key = await keyRing.keyFor(origin, signature.keyId, now());
      if (key !== undefined && (await verifyRequest(signed, signature, key, ed25519))) {
        heardFrom(origin);
        return origin;
      }
    }
    throw unauthorized("The request is not signed by a key of its origin, as far as can be told.");
  }

  async function answer(request: LinkRequest, signal: AbortSignal): Promise<LinkResponse> {
    const { pathname, search } = new URL(request.target, "https://node.invalid");
    const { target, params } = route(request.method, pathname);
    const { description, handle } = target;
    const text = await bodyText(request, description);
    const content = text === "" ? undefined : jsonObjectOf(text);
    const origin = description.auth === "server" ? await authenticate(request, content) : undefined;
    return written(
      await handle({
        ...{ origin, text, signal },
        ...{ target: request.target, authorization: headerOf(request, "authorization") },
        params: description.params && checkShape(description.params, params, "path"),
        query: description.query && checkShape(description.query, parseQuery(search), "query"),
        body: description.body && checkShape(description.body, content ?? {}, "body"),
      }),
    );
  }

  return async (request, signal) => {
    try {
      return await answer(request, signal);
    } catch (error) {
      return errorAnswer(error);
    }
  };
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

async function bodyText(request: LinkRequest, { maxBytes = MAX_BODY_BYTES }: Description): Promise<string> {
  try {
    return utf8.decode(await readBody(request.body, maxBytes));
  } catch (error) {
    if (error instanceof BodyTooLong) throw tooLarge(error.message);
    if (error instanceof TypeError) throw notJson("The body is not UTF-8.");
    throw error;
  }
}

function jsonObjectOf(text: string): JsonObject {
  const value = parseJsonText(text, { integersOnly: false });
  if (!isJsonObject(value)) throw badJson("The body should be an object.");
  return value;
}
