import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Network, openNetwork } from "./support/network.ts";
import type { Person } from "./support/person.ts";
import { synapsePython } from "./support/synapse.ts";

describe.skipIf(synapsePython === undefined)("media of a Synapse and a tab", () => {
  let network: Network;
  beforeAll(async () => {
    network = await openNetwork();
  });
  afterAll(() => network?.end());

  async function download(by: Person, uri: string) {
    const path = `/_matrix/client/v1/media/download/${uri.slice("mxc://".length)}`;
    const headers = { Authorization: `Bearer ${by.token}` };
    const answer = await fetch(by.server.clientUrl + path, { headers });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return { status: answer.status, type: answer.headers.get("content-type"), bytes };
  }

  test.each([
    ["the tab", "Synapse"],
    ["Synapse", "the tab"],
  ])("what was uploaded to %s is there for users of %s", async (from) => {
    const { sue, hal } = await network.people();
    const [uploader, other] = from === "Synapse" ? [sue, hal] : [hal, sue];
    const bytes = new Uint8Array(randomBytes(300_000));
    const { content_uri: uri } = await uploader.do(
      "POST",
      "/_matrix/media/v3/upload?filename=noise.bin",
      bytes,
      "application/octet-stream",
    );
    expect(await download(other, uri)).toEqual({ status: 200, type: "application/octet-stream", bytes });
    expect((await download(other, `${uri}x`)).status).toBeGreaterThanOrEqual(400);
  });
});
