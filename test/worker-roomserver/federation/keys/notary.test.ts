import { describe, expect, test } from "vitest";
import { chooseEd25519 } from "../../../../src/matrix/ed25519.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import { readServerKeys } from "../../../../src/matrix/server-keys.ts";
import { keyFromServerName } from "../../../../src/matrix/server-names.ts";
import { verifySignedJson } from "../../../../src/matrix/signing.ts";
import { federatedNode } from "../support/federated-node.ts";
import { TestNetwork } from "../support/network.ts";
import { Peer } from "../support/peer.ts";

const ed25519 = await chooseEd25519(crypto.subtle);

async function notary() {
  const network = new TestNetwork();
  const { serverName } = await federatedNode(network);
  const peer = await Peer.open(network, "peer.example");
  const other = await Peer.open(network, "other.example");
  const documents = ({ json }: { json: JsonObject }) => json.server_keys as JsonObject[];
  const query = (server_keys: JsonObject) =>
    other.ask(serverName, "POST", "/_matrix/key/v2/query", { server_keys });
  return { network, serverName, peer, other, documents, query };
}

describe("a node as a notary", () => {
  test.each(["", "/ed25519:test"])("passes on a server's keys, signed by both%s", async (keyId) => {
    const { serverName, peer, other, documents, network } = await notary();
    const path = `/_matrix/key/v2/query/peer.example${keyId}`;
    const [document] = documents(await other.ask(serverName, "GET", path));
    const { keys } = await readServerKeys(document!, "peer.example", ed25519);
    expect(keys.get("ed25519:test")).toEqual(Uint8Array.from(peer.keys.current.publicKey));
    const signatures = document?.signatures as { [name: string]: JsonObject };
    const [ownKeyId = ""] = Object.keys(signatures[serverName] ?? {});
    const ownKey = keyFromServerName(serverName)!;
    expect(await verifySignedJson(document!, serverName, ownKeyId, ownKey, ed25519)).toBe(true);
    network.setDown("peer.example", true);
    expect(documents(await other.ask(serverName, "GET", path))).toEqual([document]);
  });

  test("answers for many at once, and leaves out whom it does not reach", async () => {
    const { serverName, query, documents } = await notary();
    const answer = await query({
      "peer.example": { "ed25519:test": { minimum_valid_until_ts: Date.now() } },
      [serverName]: {},
      "gone.example": { "ed25519:1": {} },
      "not a name": {},
    });
    expect(answer.status).toBe(200);
    expect(documents(answer).map(({ server_name }) => server_name)).toEqual(["peer.example", serverName]);
  });

  test("asks few servers for one who asks, and none that does not exist", async () => {
    const { network, query, documents } = await notary();
    const names = Array.from({ length: 100 }, (_, i) => `gone${i}.example`);
    expect(documents(await query(Object.fromEntries(names.map((name) => [name, {}]))))).toEqual([]);
    await query({ "peer.example": {} });
    const asked = network.carried.filter(({ uri }) => uri === "/_matrix/key/v2/server");
    expect(asked.map(({ to }) => to)).toEqual(["peer.example"]);
  });

  test.each([
    ["GET", "/_matrix/key/v2/query/peer.example?minimum_valid_until_ts=soon", undefined, "M_INVALID_PARAM"],
    ["POST", "/_matrix/key/v2/query", {}, "M_MISSING_PARAM"],
    ["POST", "/_matrix/key/v2/query", { server_keys: { "peer.example": 7 } }, "M_BAD_JSON"],
  ] as const)("%s %s is refused with %j", async (method, path, content, errcode) => {
    const { other, serverName } = await notary();
    expect(await other.ask(serverName, method, path, content)).toMatchObject({
      status: 400,
      json: { errcode },
    });
  });
});
