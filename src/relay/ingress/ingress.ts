import type { LinkRequest, LinkResponse } from "../../link/api.ts";
import { MatrixError, unknown, unrecognized } from "../../matrix/errors.ts";
import { openSpace } from "../body.ts";
import { pathOf } from "../paths.ts";
import { corsHeaders, errorAnswer, jsonAnswer } from "./answers.ts";
import { type Arrived, arrivedFrom } from "./arrived.ts";
import { clientApi, isClientPath } from "./client-api.ts";
import { dendriteApi } from "./dendrite.ts";
import { federation, wellKnownServer } from "./federation.ts";
import type { Ingress, IngressParts } from "./parts.ts";

export type IngressHandler = {
  /**
   * Answers what is for a node of this relay, and all that is Matrix for names that are not known here. Never fails, and
   * is not slow: who hears nothing, or a server error, does not ask again for long.
   * @returns undefined for what is the relay's own: other paths than Matrix's, on hosts that lead to no node
   */
  answer(arrived: Arrived): Promise<Response | undefined>;
  /** The same for a request of Deno's own server. */
  http(request: Request, caller: { address: string }): Promise<Response | undefined>;
  /** The same for a request of one node of this relay to another, which need not leave the house. */
  local(serverName: string, request: LinkRequest, signal: AbortSignal): Promise<LinkResponse>;
};

export function openIngress(parts: IngressParts): IngressHandler {
  const ingress: Ingress = { ...parts, space: openSpace(parts.limits.bufferedBytes) };

  const answer = async (arrived: Arrived): Promise<Response | undefined> => {
    const isForClients = isClientPath(arrived.target.split("?", 1)[0] ?? "");
    try {
      return await route(ingress, arrived);
    } catch (error) {
      const isExpected = error instanceof MatrixError;
      if (!isExpected) ingress.onFault(error);
      const shown = isExpected ? error : unknown("Something went wrong in this relay.");
      return jsonAnswer(shown.toJSON(), shown.status, {
        ...(isForClients && corsHeaders),
        ...(shown.status === 503 && { "Retry-After": "30" }),
      });
    } finally {
      // What was not read would hold up the connection, or be read as the next request.
      if (arrived.body !== null && !arrived.body.locked) await arrived.body.cancel();
    }
  };

  return {
    answer,
    http: async (request, { address }) => {
      let arrived: Arrived;
      try {
        arrived = arrivedFrom(request, address);
      } catch (error) {
        return errorAnswer(error);
      }
      return answer(arrived);
    },
    local: async (serverName, { method, target, headers, body }, signal) => {
      const list = new Headers(headers.map(([name, value]): [string, string] => [name, value]));
      const arrived = {
        method,
        target,
        host: serverName,
        headers: list,
        body: body ?? null,
        address: "",
        signal,
      };
      const response = (await answer(arrived)) ?? new Response(null, { status: 404 });
      return { status: response.status, headers: [...response.headers], body: response.body ?? undefined };
    },
  };
}

async function route(ingress: Ingress, arrived: Arrived): Promise<Response | undefined> {
  if (!/^\/(?:_matrix|_synapse|\.well-known\/matrix)\//.test(arrived.target)) {
    const node = await ingress.names.nodeOf(arrived.host);
    if (node === undefined) return undefined;
    const isOfClients = arrived.target.startsWith("/_hearth/") && isClientPath(pathOf(arrived.target));
    if (isOfClients) return clientApi(ingress, arrived);
    throw unrecognized("This address has nothing but a Matrix homeserver.");
  }
  const path = pathOf(arrived.target);
  if (isClientPath(path)) return clientApi(ingress, arrived);
  if (path === "/.well-known/matrix/server") return wellKnownServer(ingress, arrived);
  const isFederation = path.startsWith("/_matrix/federation/") || path.startsWith("/_matrix/key/");
  if (!isFederation) throw unrecognized("There is no such endpoint.");
  return dendriteApi(ingress, arrived, path) ?? federation(ingress, arrived, path);
}
