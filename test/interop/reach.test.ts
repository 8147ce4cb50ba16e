import { request } from "node:https";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Network, openNetwork } from "./support/network.ts";
import { synapsePython } from "./support/synapse.ts";

describe.skipIf(synapsePython === undefined)("a Synapse and a tab", () => {
  let network: Network;
  beforeAll(async () => {
    network = await openNetwork();
  });
  afterAll(() => network?.end());

  /** What a server publishes, to whoever asks. */
  const published = (serverName: string, path: string): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const [host, port] = serverName.split(":");
      // Its authority is the test's own.
      request({ host, port, path, rejectUnauthorized: false }, async (answer) => {
        answer.setEncoding("utf8");
        resolve({ status: answer.statusCode ?? 0, text: (await answer.toArray()).join("") });
      })
        .on("error", reject)
        .end();
    });

  test("are there for other servers under their names", async () => {
    for (const { serverName } of [network.synapse, network.hearth]) {
      const { status, text } = await published(serverName, "/_matrix/key/v2/server");
      expect([status, JSON.parse(text).server_name]).toEqual([200, serverName]);
    }
    const version = await published(network.hearth.serverName, "/_matrix/federation/v1/version");
    expect(JSON.parse(version.text)).toMatchObject({ server: { name: "Hearth" } });
  });

  test("accounts are made on both by the shared secret", async () => {
    const { sue, hal } = await network.people();
    expect(sue.userId).toMatch(`:${network.synapse.serverName}`);
    expect(hal.userId).toMatch(`:${network.hearth.serverName}`);
    expect(await hal.do("GET", "/account/whoami")).toMatchObject({ user_id: hal.userId });
  });

  test("Synapse fetches the tab's keys over TLS, and finds them signed", async () => {
    // It gives out what it has checked as a notary: https://spec.matrix.org/v1.19/server-server-api/#querying-keys-through-another-server
    const { synapse, hearth } = network;
    const own = await published(hearth.serverName, "/_matrix/key/v2/server");
    const [keyId] = Object.keys(JSON.parse(own.text).verify_keys);
    const path = `/_matrix/key/v2/query/${hearth.serverName}/${encodeURIComponent(keyId!)}`;
    const { status, text } = await published(synapse.serverName, path);
    expect(status).toBe(200);
    const [document] = JSON.parse(text).server_keys;
    expect(document).toMatchObject({ server_name: hearth.serverName });
    expect(Object.keys(document.signatures)).toEqual(
      expect.arrayContaining([hearth.serverName, synapse.serverName]),
    );
  });

  test("the tab takes what Synapse sends, once its relay has fetched Synapse's keys", async () => {
    const { sue, hal } = await network.people();
    const path = `/sendToDevice/org.example.greeting/${sue.deviceId}`;
    await sue.do("PUT", path, { messages: { [hal.userId]: { [hal.deviceId]: { hello: "hal" } } } });
    const events = await hal.sees(
      "the greeting",
      ({ to_device: toDevice }) => toDevice?.events?.length > 0 && toDevice.events,
    );
    expect(events).toEqual([{ type: "org.example.greeting", sender: sue.userId, content: { hello: "hal" } }]);
  });
});
