import { beforeAll, expect, test } from "vitest";
import { prepareComlink } from "../../../src/worker-roomserver/node/across-ports.ts";
import { bindings } from "../support/bindings.ts";
import { atOnce, fileOf, partsOf } from "../support/media.ts";
import { registerAt, testNode } from "../support/node.ts";
import { refusal } from "../support/requester.ts";

beforeAll(prepareComlink);

test.each(bindings)("%s, media goes there and back as handles, and errors as errors", async (_, bind) => {
  const opened = await testNode();
  const node = await bind(opened);
  const alice = await registerAt(opened, "alice");
  const { content_uri } = await node.media.upload("r", alice, fileOf("cat", "image/x-cat", "cat"));
  const { blob, ...rest } = await node.media.download(...partsOf(content_uri), atOnce);
  expect(blob).toBeInstanceOf(Blob);
  expect([await blob.text(), rest.type, rest.name]).toEqual(["cat", "image/x-cat", "cat"]);
  const small = { ...atOnce, width: 1, height: 1, method: "crop", animated: false } as const;
  expect(await refusal(node.media.thumbnail(...partsOf(content_uri), small))).toEqual({
    errcode: "M_UNKNOWN",
    status: 400,
  });
  await node.mediaConsole.remove(...partsOf(content_uri));
  expect(await refusal(node.media.download(...partsOf(content_uri), atOnce))).toMatchObject({ status: 404 });
});
