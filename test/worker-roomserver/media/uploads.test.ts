import { describe, expect, test, vi } from "vitest";
import { defaultLimits, mostPending, pendingMs } from "../../../src/worker-roomserver/media/limits.ts";
import { atOnce, fileOf, partsOf, type TestMedia, testMedia, through } from "../support/media.ts";
import { refusal, requester } from "../support/requester.ts";
import { dump } from "../support/storage.ts";
import { error, failNextCommit, request, serverName } from "../support/users.ts";

const alice = requester("alice");
const bob = requester("bob");

const upload = async ({ media }: Pick<TestMedia, "media">, content = "hello", by = alice) =>
  partsOf((await media.upload(request(), by, fileOf(content))).content_uri);
const create = async ({ media }: TestMedia, by = alice) =>
  partsOf((await media.create(request(), by)).content_uri);
const textOf = async ({ media }: TestMedia, at: [string, string]) =>
  (await media.download(...at, atOnce)).blob.text();
const storeNames = async (opened: TestMedia) => {
  const stores = await dump(opened.storage);
  return { media: stores.media!.length, blobs: stores.blobs!.length, thumbnails: stores.thumbnails!.length };
};

describe("an upload", () => {
  test("is there again with its type and name, also for the next leader", async () => {
    const opened = await testMedia();
    const { content_uri } = await opened.media.upload(
      request(),
      alice,
      fileOf("cat", "image/x-cat", "the cat"),
    );
    const at = partsOf(content_uri);
    expect(at[0]).toBe(serverName);
    expect(at[1]).toMatch(/^[A-Za-z0-9_-]{24}$/);
    const check = async ({ media }: TestMedia) => {
      const { blob, ...rest } = await media.download(...at, atOnce);
      expect(rest).toEqual({ type: "image/x-cat", name: "the cat", etag: expect.stringMatching(/^.{24}$/) });
      expect(await blob.text()).toBe("cat");
    };
    await check(opened);
    await check(await opened.crash());
  });

  test("without a type, or with none that there can be, is of unknown type", async () => {
    const { media } = await testMedia();
    const { content_uri } = await media.upload(request(), alice, fileOf("x", ""));
    expect((await media.download(...partsOf(content_uri), atOnce)).type).toBe("application/octet-stream");
  });

  test("is carried out once, whichever leader is asked", async () => {
    const opened = await testMedia();
    const id = request();
    const first = await opened.media.upload(id, alice, fileOf("once"));
    const next = await opened.crash();
    expect(await next.media.upload(id, alice, fileOf("once"))).toEqual(first);
    expect(await storeNames(next)).toMatchObject({ media: 1, blobs: 1 });
  });

  test("whose leader dies between the bytes and the row has not been made, and leaves nothing", async () => {
    const opened = await testMedia();
    const before = await upload(opened);
    const { storage } = opened;
    let died: () => void = () => undefined;
    const dying = new Promise<void>((resolve) => {
      died = resolve;
    });
    const putBlob = storage.putBlob.bind(storage);
    vi.spyOn(storage, "putBlob").mockImplementationOnce(async (key, blob) => {
      await putBlob(key, blob);
      died();
      return new Promise(() => undefined);
    });
    void opened.media.upload(request(), alice, fileOf("lost"));
    await dying;
    const next = await opened.crash();
    expect(await storeNames(next)).toMatchObject({ media: 1, blobs: 2 });
    await through(next.dropOrphans);
    expect(await storeNames(next)).toMatchObject({ media: 1, blobs: 1 });
    expect(await textOf(next, before)).toBe("hello");
  });

  test("that is under way is no orphan", async () => {
    const opened = await testMedia();
    const { storage } = opened;
    const putBlob = storage.putBlob.bind(storage);
    vi.spyOn(storage, "putBlob").mockImplementationOnce(async (key, blob) => {
      await putBlob(key, blob);
      await through(opened.dropOrphans);
    });
    expect(await textOf(opened, await upload(opened))).toBe("hello");
  });

  test("whose unit fails is refused, counts for nothing, and its bytes go", async () => {
    const opened = await testMedia({ limits: { ...defaultLimits, userBytes: 10 } });
    failNextCommit(opened.storage);
    await expect(upload(opened, "0123456789")).rejects.toThrow();
    expect(await opened.mediaConsole.usage()).toEqual([]);
    await through(opened.dropOrphans);
    expect(await storeNames(opened)).toMatchObject({ media: 0, blobs: 0 });
    expect(await textOf(opened, await upload(opened, "0123456789"))).toBe("0123456789");
  });

  test("for which the disk has no room is refused with 507", async () => {
    const opened = await testMedia();
    const spy = vi.spyOn(IDBObjectStore.prototype, "put").mockImplementationOnce(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    await expect(upload(opened)).rejects.toEqual(error("M_UNKNOWN", 507));
    spy.mockRestore();
    expect(await storeNames(opened)).toMatchObject({ media: 0, blobs: 0 });
  });

  test("that comes to a leader that has lost is not made", async () => {
    const opened = await testMedia();
    const next = await opened.crash();
    await expect(upload(opened)).rejects.toMatchObject({ name: "LeaderFenced" });
    expect(await storeNames(next)).toMatchObject({ media: 0, blobs: 0 });
  });
});

describe("what may be uploaded is limited", () => {
  test("by the size of a file", async () => {
    const opened = await testMedia({ limits: { ...defaultLimits, uploadBytes: 5 } });
    expect(await opened.media.config()).toEqual({ "m.upload.size": 5 });
    await upload(opened, "12345");
    expect(await refusal(upload(opened, "123456"))).toEqual({ errcode: "M_TOO_LARGE", status: 413 });
    const later = await create(opened);
    const call = opened.media.uploadTo(request(), alice, ...later, fileOf("123456"));
    expect(await refusal(call)).toEqual({ errcode: "M_TOO_LARGE", status: 413 });
  });

  test("by what a user has, also across leaders, and until something is removed", async () => {
    const opened = await testMedia({ limits: { ...defaultLimits, userBytes: 10 } });
    const first = await upload(opened, "12345");
    await upload(opened, "1234");
    const next = await opened.crash();
    expect(await refusal(upload(next, "12"))).toEqual({ errcode: "M_FORBIDDEN", status: 403 });
    await upload(next, "12345678", bob);
    expect(await next.mediaConsole.usage()).toEqual([
      { user_id: alice.userId, bytes: 9, files: 2 },
      { user_id: bob.userId, bytes: 8, files: 1 },
    ]);
    await next.mediaConsole.remove(...first);
    await upload(next, "123456");
  });

  test("by the number of files", async () => {
    const opened = await testMedia({ limits: { ...defaultLimits, userFiles: 2 } });
    await upload(opened);
    await upload(opened);
    expect(await refusal(upload(opened))).toEqual({ errcode: "M_FORBIDDEN", status: 403 });
  });

  test("by what all have", async () => {
    const opened = await testMedia({ limits: { ...defaultLimits, totalBytes: 10 } });
    await upload(opened, "123456", bob);
    expect(await refusal(upload(opened, "12345"))).toEqual({ errcode: "M_FORBIDDEN", status: 403 });
  });

  test("two at once do not share the last of it", async () => {
    const opened = await testMedia({ limits: { ...defaultLimits, userBytes: 10 } });
    const results = await Promise.allSettled([upload(opened, "123456"), upload(opened, "123456")]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await opened.mediaConsole.usage()).toEqual([{ user_id: alice.userId, bytes: 6, files: 1 }]);
  });
});

describe("an upload to an address that was created before", () => {
  test("is there for who asks, and cannot be made again", async () => {
    const opened = await testMedia();
    const created = await opened.media.create(request(), alice);
    expect(created.unused_expires_at).toBe(opened.world.time + pendingMs);
    const at = partsOf(created.content_uri);
    expect(await refusal(textOf(opened, at))).toEqual({ errcode: "M_NOT_YET_UPLOADED", status: 504 });
    const next = await opened.crash();
    const id = request();
    expect(await next.media.uploadTo(id, alice, ...at, fileOf("late", "text/plain", "n"))).toEqual({});
    expect(await next.media.uploadTo(id, alice, ...at, fileOf("late"))).toEqual({});
    expect(await textOf(next, at)).toBe("late");
    expect(await refusal(next.media.uploadTo(request(), alice, ...at, fileOf("again")))).toEqual({
      errcode: "M_CANNOT_OVERWRITE_MEDIA",
      status: 409,
    });
    expect(await textOf(next, at)).toBe("late");
    next.world.time += 2 * pendingMs;
    await through(next.dropExpired);
    expect(await textOf(next, at)).toBe("late");
  });

  test("is for its creator, for this server, and for what was created", async () => {
    const opened = await testMedia();
    const at = await create(opened);
    const to = (by: typeof alice, server: string, id: string) =>
      refusal(opened.media.uploadTo(request(), by, server, id, fileOf("x")));
    expect(await to(bob, ...at)).toEqual({ errcode: "M_FORBIDDEN", status: 403 });
    expect(await to(alice, "other.example", at[1])).toEqual({ errcode: "M_FORBIDDEN", status: 403 });
    expect(await to(alice, serverName, "unknown")).toEqual({ errcode: "M_NOT_FOUND", status: 404 });
    expect(await to(alice, serverName, "../x")).toEqual({ errcode: "M_INVALID_PARAM", status: 400 });
    expect(await to(bob, ...(await upload(opened)))).toEqual({ errcode: "M_FORBIDDEN", status: 403 });
  });

  test("comes too late after a day", async () => {
    const opened = await testMedia();
    const at = await create(opened);
    opened.world.time += pendingMs;
    expect(await refusal(textOf(opened, at))).toEqual({ errcode: "M_NOT_FOUND", status: 404 });
    const late = () => refusal(opened.media.uploadTo(request(), alice, ...at, fileOf("x")));
    expect(await late()).toEqual({ errcode: "M_NOT_FOUND", status: 404 });
    await through(opened.dropExpired);
    expect(await storeNames(opened)).toMatchObject({ media: 0 });
    expect(await late()).toEqual({ errcode: "M_NOT_FOUND", status: 404 });
  });

  test("of two at once one is made", async () => {
    const opened = await testMedia();
    const at = await create(opened);
    const to = (content: string) => opened.media.uploadTo(request(), alice, ...at, fileOf(content));
    const results = await Promise.allSettled([to("a"), to("b")]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(await textOf(opened, at)).toBe("a");
    expect(await opened.mediaConsole.usage()).toEqual([{ user_id: alice.userId, bytes: 1, files: 1 }]);
  });

  test("there are so many, until one is used or has expired", async () => {
    const opened = await testMedia();
    const at = await Promise.all(Array.from({ length: mostPending }, () => create(opened)));
    await create(opened, bob);
    await expect(create(opened)).rejects.toMatchObject({
      errcode: "M_LIMIT_EXCEEDED",
      status: 429,
      extra: { retry_after_ms: pendingMs },
    });
    await opened.media.uploadTo(request(), alice, ...at[0]!, fileOf("x"));
    await create(opened);
    expect(await refusal(create(opened))).toMatchObject({ errcode: "M_LIMIT_EXCEEDED" });
    opened.world.time += pendingMs;
    await create(opened);
  });
});

describe("a download", () => {
  test("waits for what is being uploaded", async () => {
    const opened = await testMedia();
    const at = await create(opened);
    const waiting = [1, 2].map(() => opened.media.download(...at, { timeoutMs: 60_000, allowRemote: true }));
    await opened.media.uploadTo(request(), alice, ...at, fileOf("there"));
    for (const { blob } of await Promise.all(waiting)) expect(await blob.text()).toBe("there");
  });

  test("gives up when its time is over", async () => {
    const opened = await testMedia();
    const at = await create(opened);
    const waiting = opened.media.download(...at, { timeoutMs: 5, allowRemote: true });
    expect(await refusal(waiting)).toEqual({ errcode: "M_NOT_YET_UPLOADED", status: 504 });
  });

  test.each([
    [serverName, "unknown", "M_NOT_FOUND"],
    [serverName, "a.b", "M_INVALID_PARAM"],
    ["a/b", "a", "M_INVALID_PARAM"],
    ["other.example", "a", "M_NOT_FOUND"],
  ])("of %s/%s is answered %s", async (server, id, errcode) => {
    const { media } = await testMedia();
    await expect(media.download(server, id, atOnce)).rejects.toMatchObject({ errcode });
  });
});
