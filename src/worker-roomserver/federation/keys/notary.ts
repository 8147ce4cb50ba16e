import * as v from "valibot";
import { isJsonObject, type JsonObject } from "../../../matrix/json.ts";
import { serverKeyDocument } from "../../../matrix/server-keys.ts";
import { isServerName } from "../../../matrix/server-names.ts";
import { signJson } from "../../../matrix/signing.ts";
import type { FederationContext } from "../context.ts";
import { type Endpoint, endpoint, WrittenJson } from "../door/endpoint.ts";
import type { ServerKeyRing } from "./key-ring.ts";

export type NotaryOptions = Pick<FederationContext, "serverName" | "key" | "now"> & {
  keyRing: Pick<ServerKeyRing, "documentsOf">;
};

/** Servers of one question that are asked themselves: anybody may put it. The others are answered from what is known. */
const MAX_ASKED = 16;
/** Servers of one question that are answered at all; Synapse names those of one batch of events. */
const MAX_SERVERS = 1000;

const time = v.pipe(
  v.string(),
  v.regex(/^\d{1,16}$/, "should be milliseconds since 1970"),
  v.transform(Number),
);

/**
 * This server as a notary: it passes on what others have published of their keys, signed by itself as well. It passes on
 * nothing that it has not had from themselves.
 * @see https://spec.matrix.org/v1.19/server-server-api/#querying-keys-through-another-server
 */
export function notaryEndpoints({ serverName, key, now, keyRing }: NotaryOptions): Endpoint[] {
  const signed = async (text: string): Promise<string> =>
    JSON.stringify(
      await signJson(JSON.parse(text) as JsonObject, serverName, key.keyId, key.sign, "lenient"),
    );

  async function documentsOf(name: string, minimum: number, mayAsk: boolean): Promise<string[]> {
    if (name === serverName) return [JSON.stringify(await serverKeyDocument(serverName, key, now()))];
    if (!isServerName(name)) return [];
    const found = await keyRing.documentsOf(name, minimum, mayAsk ? "notary" : undefined);
    return Promise.all(found.map(signed));
  }

  return [
    endpoint(
      {
        ...{ method: "GET", path: "/_matrix/key/v2/query/{serverName}", auth: "none" },
        // With the id of a key, as it used to be asked.
        before: ["/_matrix/key/v2/query/{serverName}/{keyId}"],
        params: v.object({ serverName: v.string() }),
        query: v.object({ minimum_valid_until_ts: v.optional(time) }),
      },
      async ({ params, query }) =>
        writtenKeys(await documentsOf(params.serverName, query.minimum_valid_until_ts ?? now(), true)),
    ),
    endpoint(
      {
        ...{ method: "POST", path: "/_matrix/key/v2/query", auth: "none" },
        body: v.object({ server_keys: v.record(v.string(), v.record(v.string(), v.unknown())) }),
      },
      async ({ body }) => {
        const servers = Object.entries(body.server_keys).slice(0, MAX_SERVERS);
        const found = await Promise.all(
          servers.map(([name, keys], i) => documentsOf(name, minimumOf(keys, now()), i < MAX_ASKED)),
        );
        return writtenKeys(found.flat());
      },
    ),
  ];
}

const writtenKeys = (documents: readonly string[]) =>
  new WrittenJson(['{"server_keys":[', documents.join(","), "]}"]);

/** Up to when keys are to hold: the latest time that is named, or now. */
function minimumOf(keys: { [keyId: string]: unknown }, now: number): number {
  const named = Object.values(keys).map((criteria) =>
    isJsonObject(criteria) ? criteria.minimum_valid_until_ts : undefined,
  );
  const times = named.filter((at) => typeof at === "number");
  return times.length === 0 ? now : Math.max(...times);
}
