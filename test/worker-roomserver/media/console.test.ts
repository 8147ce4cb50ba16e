import { describe, expect, test } from "vitest";
import type { Requester } from "../../../src/worker-roomserver/node/requester.ts";
import { alice } from "../../sw/support/node-double.ts";
import { fileOf, testMedia } from "../support/media.ts";
import { error, serverName } from "../support/users.ts";

const uploader: Requester = alice;

async function withLetter() {
  const t = await testMedia();
  const { content_uri } = await t.media.upload(crypto.randomUUID(), uploader, fileOf("a letter"));
  return { ...t, mediaId: content_uri.split("/").at(-1)! };
}

/** Media of another server, as it is once it was fetched. */
async function fetched(t: Awaited<ReturnType<typeof testMedia>>, id: string, at: number, more: object = {}) {
  await t.storage.putBlob(id, new Blob(["12345"]));
  const row = { origin: "other.example", id, user: "", order: -at, blob: id, size: 5, type: "text/plain" };
  await t.storage.commit((write) => write.put("media", { ...row, name: "", ...more }));
}

describe("protected media", () => {
  test("is neither removed nor quarantined until that is taken back, also by the next leader", async () => {
    const t = await withLetter();
    await t.mediaConsole.setProtected(serverName, t.mediaId, true);
    const { mediaConsole } = await t.crash();
    const refusal = error("M_FORBIDDEN", 403);
    await expect(mediaConsole.remove(serverName, t.mediaId)).rejects.toEqual(refusal);
    await expect(mediaConsole.setQuarantined(serverName, t.mediaId, true)).rejects.toEqual(refusal);
    expect(await mediaConsole.get(serverName, t.mediaId)).toMatchObject({
      ...{ is_protected: true, is_quarantined: false, size: 8 },
    });
    await mediaConsole.setProtected(serverName, t.mediaId, false);
    await mediaConsole.remove(serverName, t.mediaId);
    await expect(mediaConsole.get(serverName, t.mediaId)).rejects.toEqual(error("M_NOT_FOUND", 404));
  });
});

test("totals are of all, and usage of one", async () => {
  const t = await withLetter();
  expect(await t.mediaConsole.totals()).toMatchObject({
    ...{ local_bytes: 8, local_files: 1, fetched_bytes: 0, fetched_files: 0 },
    limits: t.world.limits,
  });
  expect(await t.mediaConsole.usageOf(uploader.userId)).toEqual({ bytes: 8, files: 1 });
  expect(await t.mediaConsole.usageOf("@nobody:x")).toEqual({ bytes: 0, files: 0 });
});

test("what came from other servers before a time goes, but for what is kept on purpose", async () => {
  const t = await withLetter();
  for (const [id, at, more] of [
    ["old", 10, {}],
    ["new", 30, {}],
    ["kept", 10, { protected: 1 }],
    ["hidden", 10, { quarantined: 1 }],
  ] as const) {
    await fetched(t, id, at, more);
  }
  const left = async () => (await t.mediaConsole.list({ limit: 10 })).media.map(({ media_id }) => media_id);
  expect(await t.mediaConsole.purgeRemote(20)).toEqual({ files: 1, bytes: 5 });
  expect(await left()).toEqual([t.mediaId, "new", "hidden", "kept"]);
  expect(await t.mediaConsole.purgeRemote(Number.MAX_SAFE_INTEGER)).toEqual({ files: 1, bytes: 5 });
  expect(await left()).toEqual([t.mediaId, "hidden", "kept"]);
  expect(await t.storage.getAllKeys("blobs", IDBKeyRange.only("old"))).toEqual([]);
});
