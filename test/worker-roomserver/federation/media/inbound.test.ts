import { describe, expect, test } from "vitest";
import { partsOf } from "../../support/media.ts";
import { registerAt } from "../../support/node.ts";
import { federatedNode } from "../support/federated-node.ts";
import { askAs } from "../support/guest.ts";
import { namedServer } from "../support/named-server.ts";
import { TestNetwork } from "../support/network.ts";

async function withMedia() {
  const { node, serverName } = await federatedNode(new TestNetwork());
  const alice = await registerAt(node, "alice");
  const guest = await namedServer();
  const upload = async (content: string, type: string, name: string) => {
    const file = { blob: new Blob([content], { type }), name };
    const { content_uri } = await node.media.upload(crypto.randomUUID(), alice, file);
    return partsOf(content_uri)[1];
  };
  const ask = (question: string) => askAs(guest, node, `/_matrix/federation/v1/media/${question}`);
  return { node, serverName, upload, ask };
}

describe("media for other servers", () => {
  test("comes in two parts, the second of which is the file", async () => {
    const { upload, ask } = await withMedia();
    const id = await upload("Hello\r\n--\r\n", "text/plain", "grüße.txt");
    const { status, type, text } = await ask(`download/${id}`);
    expect(status).toBe(200);
    const [, boundary] = /^multipart\/mixed; boundary=([\w-]{20,70})$/.exec(type) ?? [];
    const [preamble, metadata, file, end] = text.split(`--${boundary}`);
    expect([preamble, end]).toEqual(["", "--\r\n"]);
    expect(metadata).toBe("\r\nContent-Type: application/json\r\n\r\n{}\r\n");
    const [head, ...body] = file!.split("\r\n\r\n");
    expect(head).toContain("Content-Type: text/plain");
    expect(head).toContain("filename*=UTF-8''gr%C3%BC%C3%9Fe.txt");
    expect(body.join("\r\n\r\n")).toBe("Hello\r\n--\r\n\r\n");
  });

  test("is 404 where it is not there, quarantined, or no id", async () => {
    const { node, serverName, upload, ask } = await withMedia();
    const id = await upload("bad", "text/plain", "");
    expect((await ask(`download/${id}`)).status).toBe(200);
    await node.mediaConsole.setQuarantined(serverName, id, true);
    for (const missing of [id, "nothing"]) {
      const answer = await ask(`download/${missing}?timeout_ms=0`);
      expect(answer).toMatchObject({ status: 404, body: { errcode: "M_NOT_FOUND" } });
    }
    expect((await ask("download/%2e%2e%2fx")).status).toBe(400);
  });

  test("thumbnails need a size, and an image", async () => {
    const { upload, ask } = await withMedia();
    const id = await upload("no image", "text/plain", "");
    expect(await ask(`thumbnail/${id}`)).toMatchObject({ status: 400, body: { errcode: "M_MISSING_PARAM" } });
    expect(await ask(`thumbnail/${id}?width=-1&height=3`)).toMatchObject({ status: 400 });
    expect(await ask(`thumbnail/${id}?width=32&height=32`)).toMatchObject({
      ...{ status: 400, body: { errcode: "M_UNKNOWN" } },
    });
  });
});
