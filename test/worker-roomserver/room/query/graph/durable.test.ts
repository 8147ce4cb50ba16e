import { expect, test } from "vitest";
import { durable } from "../../../../../src/worker-roomserver/room/query/graph/durable.ts";
import { failCommit } from "../../../support/rounds.ts";
import { testStorage } from "../../../support/storage.ts";

test("an answer waits for what it may have seen in memory", async () => {
  const storage = await testStorage();
  let isWritten = false;
  const answer = durable(storage, async () => {
    void storage
      .commit((write) => write.put("meta", 1, "seen"))
      .then(() => {
        isWritten = true;
      });
    return "answer";
  });
  expect(await answer).toBe("answer");
  expect(isWritten).toBe(true);
});

test("an answer that rests on what was not written is found anew", async () => {
  const storage = await testStorage();
  let asked = 0;
  const answer = await durable(storage, async () => {
    asked += 1;
    if (asked < 3) await failCommit(storage);
    return asked;
  });
  expect(answer).toBe(3);
});

test("an error that came of what was not written is no answer", async () => {
  const storage = await testStorage();
  let asked = 0;
  const answer = await durable(storage, async () => {
    asked += 1;
    if (asked > 1) return "answer";
    await failCommit(storage);
    throw new Error("named and not there");
  });
  expect(answer).toBe("answer");
});

test("an error is passed on", async () => {
  const storage = await testStorage();
  const failing = durable(storage, async () => {
    throw new Error("not there");
  });
  await expect(failing).rejects.toThrow("not there");
});
