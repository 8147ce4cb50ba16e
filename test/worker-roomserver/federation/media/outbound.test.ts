import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bodyOf } from "../../../../src/link/bodies.ts";
import { parseServerName } from "../../../../src/matrix/identifiers.ts";
import { encodeUtf8 } from "../../../../src/matrix/utf8.ts";
import { FederationError } from "../../../../src/worker-roomserver/federation/api.ts";
import { readMultipart } from "../../../../src/worker-roomserver/federation/media/read-multipart.ts";
import { remoteMedia } from "../../../../src/worker-roomserver/federation/media/remote-media.ts";
import { partsOf } from "../../support/media.ts";
import { registerAt } from "../../support/node.ts";
import { federatedNode } from "../support/federated-node.ts";
import { TestNetwork } from "../support/network.ts";
import { matrixError, raw, type Script, scriptedServer } from "../support/scripted-server.ts";

const remote = { timeoutMs: 1_000, allowRemote: true };
const fails = (status: number, errcode: string) => ({ status, errcode });

async function nodeAndScript(script: Script) {
  const network = new TestNetwork();
  const { node } = await federatedNode(network);
  const other = await scriptedServer(network);
  other.answer(script);
  const download = (mediaId = "abc") => node.media.download(other.serverName, mediaId, remote);
  return { node, other, download };
}

const type = "multipart/mixed; boundary=xyz";
const multipart = (...parts: string[]) =>
  `${parts.map((part) => `--xyz\r\n${part}\r\n`).join("")}--xyz--\r\n`;
const metadata = "Content-Type: application/json\r\n\r\n{}";
const file = (body: string) =>
  `Content-Type: text/plain\r\nContent-Disposition: attachment; filename="a b.txt"\r\n\r\n${body}`;
const answering =
  (text: string, contentType = type) =>
  () =>
    raw(text, [["content-type", contentType]]);

describe("media of other servers", () => {
  test("comes over federation, and is kept", async () => {
    const network = new TestNetwork();
    const here = await federatedNode(network);
    const there = await federatedNode(network);
    const bob = await registerAt(there.node, "bob");
    const blob = new Blob(["x".repeat(300_000), "\r\n--"], { type: "image/png" });
    const { content_uri } = await there.node.media.upload(crypto.randomUUID(), bob, {
      blob,
      name: "grüße.png",
    });
    const found = await here.node.media.download(...partsOf(content_uri), remote);
    expect(found).toMatchObject({ type: "image/png", name: "grüße.png" });
    expect(await found.blob.text()).toBe(await blob.text());
    await there.close();
    expect((await here.node.media.download(...partsOf(content_uri), remote)).blob.size).toBe(blob.size);
  });

  test("is in the second part, whatever is around it", async () => {
    const { download } = await nodeAndScript(
      answering(`preamble\r\n${multipart(metadata, file("Hello\r\n--x\r\n"))}epilogue`),
    );
    const { blob, name, type: found } = await download();
    expect([await blob.text(), name, found]).toEqual(["Hello\r\n--x\r\n", "a b.txt", "text/plain"]);
  });

  test.each<[string, Script]>([
    ["one part", answering(multipart(file("alone")))],
    ["no end", answering(multipart(metadata, file("cut")).slice(0, -12))],
    ["no boundary", answering(multipart(metadata, file("x")), "multipart/mixed")],
    ["no parts", answering("{}", "application/json")],
    ["headers that never end", answering(`--xyz\r\n${metadata}\r\n--xyz\r\nA: ${"b".repeat(1e5)}`)],
    [
      "a redirect to what is no https",
      answering(multipart(metadata, "Location: http://cdn.example/x\r\n\r\n")),
    ],
    ["a refusal of its own session", () => matrixError(401, "M_UNAUTHORIZED")],
  ])("an answer with %s is none", async (_, script) => {
    const { download } = await nodeAndScript(script);
    await expect(download()).rejects.toMatchObject(fails(502, "M_UNKNOWN"));
  });

  test.each<[number, string, number, string]>([
    [404, "M_NOT_FOUND", 404, "M_NOT_FOUND"],
    [504, "M_NOT_YET_UPLOADED", 504, "M_NOT_YET_UPLOADED"],
    [502, "M_TOO_LARGE", 502, "M_TOO_LARGE"],
    [500, "M_UNKNOWN", 502, "M_UNKNOWN"],
  ])("an answer of %i %s is %i %s to the client", async (status, errcode, own, ownCode) => {
    const { download, other } = await nodeAndScript(() => matrixError(status, errcode));
    await expect(download()).rejects.toMatchObject(fails(own, ownCode));
    expect(other.asked).toEqual([
      expect.stringMatching(/^\/_matrix\/federation\/v1\/media\/download\/abc\?/),
    ]);
  });

  test("of a server that knows only how it used to be, it is had so", async () => {
    const { download, other } = await nodeAndScript(({ target }) =>
      target.startsWith("/_matrix/media/v3/download/")
        ? raw("old", [
            ["content-type", "text/plain"],
            ["content-disposition", "inline; filename=old.txt"],
          ])
        : matrixError(404, "M_UNRECOGNIZED"),
    );
    const found = await download();
    expect([await found.blob.text(), found.name]).toEqual(["old", "old.txt"]);
    expect(other.asked[1]).toBe(
      `/_matrix/media/v3/download/${other.serverName}/abc?allow_remote=false&timeout_ms=1000`,
    );
  });

  test("where nobody is there it is 502", async () => {
    const { node } = await nodeAndScript(() => matrixError(500, "M_UNKNOWN"));
    await expect(node.media.download("nowhere.example", "abc", remote)).rejects.toMatchObject(
      fails(502, "M_UNKNOWN"),
    );
  });
});

describe("fetching", () => {
  const serverName = parseServerName("other.example");
  const options = { timeoutMs: 0, maxBytes: 10 };
  const streaming = (body: ReadableStream<Uint8Array<ArrayBuffer>>) => ({
    request: async () => Promise.reject(new Error("not asked for")),
    stream: async () => ({ status: 200, headers: { "content-type": type }, body }),
  });
  const noEgress = { fetch: async () => ({ failure: "refused" as const, why: "Nothing leads outside." }) };

  test("a file that does not end is given up where it is too large", async () => {
    let sent = 0;
    let isCancelled = false;
    const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        const text = sent === 0 ? `--xyz\r\n${metadata}\r\n--xyz\r\n\r\n` : "xxxx";
        sent += 1;
        controller.enqueue(encodeUtf8(text) as Uint8Array<ArrayBuffer>);
      },
      cancel() {
        isCancelled = true;
      },
    });
    const media = remoteMedia({ client: streaming(endless), egress: noEgress });
    await expect(media.fetch(serverName, "a", options)).rejects.toMatchObject(fails(502, "M_TOO_LARGE"));
    expect([isCancelled, sent < 50]).toEqual([true, true]);
  });

  test("a redirect is followed to where it leads, for media and nothing else", async () => {
    const asked: unknown[] = [];
    const body = bodyOf(encodeUtf8(multipart(metadata, "Location: https://cdn.example/x?y\r\n\r\n")));
    const media = remoteMedia({
      client: streaming(body as ReadableStream<Uint8Array<ArrayBuffer>>),
      egress: {
        fetch: async (target, { headers }) => {
          asked.push([target, headers]);
          const bytes = bodyOf(encodeUtf8("from afar")) as ReadableStream<Uint8Array<ArrayBuffer>>;
          return { status: 200, headers: { "content-type": "image/png" }, url: target.url, body: bytes };
        },
      },
    });
    const { blob } = await media.fetch(serverName, "a", options);
    expect([await blob.text(), blob.type]).toEqual(["from afar", "image/png"]);
    expect(asked).toEqual([[{ kind: "media", url: "https://cdn.example/x?y" }, {}]]);
  });

  test("what takes too long is 504", async () => {
    const client = {
      ...streaming(new ReadableStream()),
      stream: async () => Promise.reject(new FederationError("timeout", serverName, "late")),
    };
    const media = remoteMedia({ client, egress: noEgress });
    await expect(media.fetch(serverName, "a", options)).rejects.toMatchObject(fails(504, "M_UNKNOWN"));
  });
});

test("property: a file is found whole, however the answer is cut", async () => {
  const bytes = fc.uint8Array({ maxLength: 60 });
  const marks = fc.constantFrom("\r\n--xy", "\r", "\n--xyz", "\r\n\r\n--xy", "--xyz");
  const contents = fc.array(fc.oneof(bytes, marks.map(encodeUtf8)), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(contents, fc.array(fc.integer({ min: 1, max: 40 })), async (parts, cuts) => {
      const content = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
      const text = new TextDecoder("latin1").decode(content);
      fc.pre(!text.includes("\r\n--xyz"));
      const whole = new Uint8Array(
        await new Blob([
          encodeUtf8(`--xyz\r\n${metadata}\r\n--xyz\r\nA: b\r\n\r\n`) as BlobPart,
          content,
          encodeUtf8("\r\n--xyz--\r\n") as BlobPart,
        ]).arrayBuffer(),
      );
      let at = 0;
      const sizes = cuts.values();
      const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
        pull(controller) {
          if (at >= whole.length) return controller.close();
          const end = at + (sizes.next().value ?? whole.length);
          controller.enqueue(whole.slice(at, end));
          at = end;
        },
      });
      const part = await readMultipart(type, stream);
      const found: BlobPart[] = [];
      for await (const chunk of part.bytes) found.push(chunk);
      expect(new Uint8Array(await new Blob(found).arrayBuffer())).toEqual(content);
      expect(part.headers.get("a")).toBe("b");
    }),
  );
});
