import { describe, expect, test, vi } from "vitest";
import { MatrixError, notFound } from "../../../src/matrix/errors.ts";
import { defaultLimits, fetchedMs } from "../../../src/worker-roomserver/media/limits.ts";
import { atOnce, fileOf, partsOf, testMedia, through } from "../support/media.ts";
import { refusal, requester } from "../support/requester.ts";
import { dump } from "../support/storage.ts";
import { request, serverName } from "../support/users.ts";

const alice = requester("alice");
const remote = ["other.example", "cat"] as const;
const anywhere = { timeoutMs: 90_000, allowRemote: true };

describe("media of another server", () => {
  test("is fetched once for all who ask, and kept for the next leader", async () => {
    const fetch = vi.fn(async () => fileOf("meow", "image/png", "cat.png"));
    const opened = await testMedia({ remote: fetch });
    const both = [1, 2].map(() => opened.media.download(...remote, anywhere));
    for (const file of await Promise.all(both)) {
      expect(file).toMatchObject({ type: "image/png", name: "cat.png" });
      expect(await file.blob.text()).toBe("meow");
    }
    const next = await opened.crash();
    expect(await (await next.media.download(...remote, atOnce)).blob.text()).toBe("meow");
    expect(fetch.mock.calls).toEqual([
      ["other.example", "cat", { timeoutMs: 20_000, maxBytes: defaultLimits.uploadBytes }],
    ]);
  });

  test("is not asked for where that is not wanted, and what the other server says is told", async () => {
    const opened = await testMedia({ remote: () => Promise.reject(notFound("gone")) });
    expect(await refusal(opened.media.download(...remote, atOnce))).toEqual({
      errcode: "M_NOT_FOUND",
      status: 404,
    });
    await expect(opened.media.download(...remote, anywhere)).rejects.toThrow("gone");
    opened.world.remote = () => Promise.reject(new MatrixError("M_TOO_LARGE", 502, "large"));
    expect(await refusal(opened.media.download(...remote, anywhere))).toMatchObject({ status: 502 });
  });

  test("is no media of this server of the same id, and goes in time, to be fetched again", async () => {
    let content = "first";
    const opened = await testMedia({ remote: async () => fileOf(content) });
    const text = async () => (await opened.media.download(...remote, anywhere)).blob.text();
    expect(await text()).toBe("first");
    expect(await refusal(opened.media.download(serverName, "cat", anywhere))).toMatchObject({ status: 404 });
    content = "second";
    opened.world.time += fetchedMs;
    await through(opened.dropExpired);
    expect(await opened.mediaConsole.usage()).toEqual([]);
    expect((await dump(opened.storage)).blobs).toEqual([]);
    expect(await text()).toBe("second");
  });

  test("is refused where there is no room for it", async () => {
    const limits = { ...defaultLimits, fetchedBytes: 5 };
    const opened = await testMedia({ limits, remote: async () => fileOf("123456") });
    expect(await refusal(opened.media.download(...remote, anywhere))).toMatchObject({
      errcode: "M_FORBIDDEN",
    });
  });
});

describe("the owner", () => {
  async function some() {
    const opened = await testMedia({ remote: async () => fileOf("far") });
    const uploaded: [string, string][] = [];
    for (const content of ["a", "bb", "ccc"]) {
      const { content_uri } = await opened.media.upload(
        request(),
        alice,
        fileOf(content, "text/x-y", content),
      );
      uploaded.push(partsOf(content_uri));
      opened.world.time += 1;
    }
    await opened.media.download(...remote, anywhere);
    return { ...opened, uploaded };
  }

  test("sees what there is, the newest first, in pages that new media does not move", async () => {
    const { mediaConsole, media, uploaded, world } = await some();
    const first = await mediaConsole.list({ limit: 2 });
    expect(first.media).toEqual([
      {
        server_name: "other.example",
        media_id: "cat",
        created_ts: world.time,
        size: 3,
        content_type: "text/plain",
        expires_ts: world.time + fetchedMs,
        is_uploaded: true,
        is_quarantined: false,
        is_protected: false,
      },
      {
        server_name: serverName,
        media_id: uploaded[2]![1],
        user_id: alice.userId,
        created_ts: world.time - 1,
        size: 3,
        content_type: "text/x-y",
        upload_name: "ccc",
        is_uploaded: true,
        is_quarantined: false,
        is_protected: false,
      },
    ]);
    world.time += 1;
    await media.create(request(), alice);
    const second = await mediaConsole.list({ limit: 2, from: first.next_batch! });
    expect(second.media.map(({ media_id }) => media_id)).toEqual([uploaded[1]![1], uploaded[0]![1]]);
    expect(await mediaConsole.list({ limit: 2, from: second.next_batch! })).toEqual({ media: [] });
    const mine = await mediaConsole.list({ limit: 2, userId: alice.userId });
    expect(mine.media.map(({ size, is_uploaded }) => [size, is_uploaded])).toEqual([
      [0, false],
      [3, true],
    ]);
    const rest = await mediaConsole.list({ limit: 9, userId: alice.userId, from: mine.next_batch! });
    expect(rest.media.map(({ size }) => size)).toEqual([2, 1]);
    expect(await refusal(mediaConsole.list({ limit: 2, from: "x" }))).toMatchObject({ status: 400 });
  });

  test("removes media for good", async () => {
    const { mediaConsole, media, uploaded, storage } = await some();
    await mediaConsole.remove(...uploaded[0]!);
    expect(await refusal(media.download(...uploaded[0]!, atOnce))).toMatchObject({ status: 404 });
    expect(await refusal(mediaConsole.remove(...uploaded[0]!))).toMatchObject({ status: 404 });
    expect((await dump(storage)).blobs).toHaveLength(3);
    await mediaConsole.remove(...remote);
    expect(await mediaConsole.usage()).toEqual([{ user_id: alice.userId, bytes: 5, files: 2 }]);
  });

  test("keeps media from everybody, and shows it again", async () => {
    const { mediaConsole, media, uploaded } = await some();
    const at = uploaded[0]!;
    for (const one of [at, [...remote]] as [string, string][]) {
      await mediaConsole.setQuarantined(...one, true);
      expect(await refusal(media.download(...one, anywhere))).toMatchObject({ errcode: "M_NOT_FOUND" });
      const thumbnail = media.thumbnail(...one, {
        ...anywhere,
        width: 1,
        height: 1,
        method: "crop",
        animated: false,
      });
      expect(await refusal(thumbnail)).toMatchObject({ errcode: "M_NOT_FOUND" });
    }
    expect((await mediaConsole.list({ limit: 9 })).media.filter((one) => one.is_quarantined)).toHaveLength(2);
    await mediaConsole.setQuarantined(...at, false);
    expect(await (await media.download(...at, atOnce)).blob.text()).toBe("a");
    expect(await refusal(mediaConsole.setQuarantined(serverName, "nothing", true))).toMatchObject({
      status: 404,
    });
  });
});
