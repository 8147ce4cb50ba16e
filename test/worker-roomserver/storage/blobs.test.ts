import { expect, test, vi } from "vitest";
import { dump, testStorage } from "../support/storage.ts";

test("bytes are on the disk when that is said, and go with the unit that deletes them", async () => {
  const storage = await testStorage();
  await storage.putBlob("a", new Blob(["one"], { type: "text/plain" }));
  await storage.putBlob("b", new Blob(["two"]));
  const next = await testStorage(storage.name);
  const blob = await next.get("blobs", "a");
  expect([await blob?.text(), blob?.type]).toEqual(["one", "text/plain"]);
  await next.commit((write) => write.delete("blobs", "a"));
  expect(await next.get("blobs", "a")).toBeUndefined();
  expect((await dump(next)).blobs?.map(([key]) => key)).toEqual(["b"]);
});

test("a leader that has lost puts nothing", async () => {
  const storage = await testStorage();
  const next = await testStorage(storage.name);
  await expect(storage.putBlob("a", new Blob(["late"]))).rejects.toMatchObject({ name: "LeaderFenced" });
  expect(await next.getAllKeys("blobs")).toEqual([]);
});

test("a full disk is told as such, and leaves no part of them", async () => {
  const storage = await testStorage();
  const spy = vi.spyOn(IDBObjectStore.prototype, "put").mockImplementationOnce(() => {
    throw new DOMException("full", "QuotaExceededError");
  });
  await expect(storage.putBlob("a", new Blob(["x"]))).rejects.toMatchObject({ status: 507 });
  spy.mockRestore();
  expect(await storage.getAllKeys("blobs")).toEqual([]);
  await storage.putBlob("a", new Blob(["x"]));
  expect(await storage.getAllKeys("blobs")).toEqual(["a"]);
});
