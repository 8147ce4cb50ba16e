import { parseQuery } from "../../door/query.ts";
import type { Console, ConsoleRequest } from "../../worker-roomserver/console/api.ts";
import type { Node } from "../../worker-roomserver/node/api.ts";
import type { JsonBytes } from "../../worker-roomserver/node/requester.ts";
import { checkedParts } from "../checked-parts.ts";
import { createRouter } from "../router.ts";
import { consoleEndpoints } from "./index.ts";
import { openApiDocument } from "./openapi.ts";

/** Nobody may be asked for a base of a path, and it is never looked at. */
const base = "https://console.invalid";

/**
 * The owner's API, as the worker has it: a door like that of the service worker, for those whom that has let in. It calls
 * the components without a port in between.
 */
export function createConsole(node: Node): Console {
  const route = createRouter(consoleEndpoints);
  const underWay = new Map<string, AbortController>();

  async function answer(asked: ConsoleRequest, signal: AbortSignal): Promise<unknown> {
    const { requester, request, method, target, body } = asked;
    const { pathname, search } = new URL(target, base);
    const { target: endpoint, params } = route(method, pathname);
    const { description, handle } = endpoint;
    const query = parseQuery(search);
    return handle({
      ...{ node, request, requester, withoutRequester: undefined, target, signal },
      ...(await checkedParts(description, { params, query, body: new Response(body ?? null) })),
      // No answer of this API names an address of its own.
      baseUrl: "",
      headers: new Headers(),
      destination: "",
    });
  }

  return {
    answer: async (asked, name) => {
      const end = new AbortController();
      underWay.set(name, end);
      try {
        return written(await answer(asked, end.signal));
      } finally {
        underWay.delete(name);
      }
    },
    cancel: async (name) => underWay.get(name)?.abort(),
    openApi: async () => written(openApiDocument(consoleEndpoints)),
  };
}

/** Nothing in this API is answered otherwise. */
function written(answer: unknown): JsonBytes {
  return answer instanceof Uint8Array
    ? (answer as JsonBytes)
    : new TextEncoder().encode(JSON.stringify(answer));
}
