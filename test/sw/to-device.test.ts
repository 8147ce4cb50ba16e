import { expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { maxBodyBytes } from "../../src/sw/body.ts";
import { type Client, testHome } from "./support/home.ts";

const send = (client: Client, messages: JsonObject, txn = "1", type = "org.example") =>
  client.ask("PUT", `/sendToDevice/${type}/${txn}`, { messages });

async function received(client: Client, since = ""): Promise<{ events: JsonObject[]; next: string }> {
  const { body } = await client.ask("GET", `/sync${since && `?since=${since}`}`);
  return { events: (body.to_device as { events: JsonObject[] }).events, next: body.next_batch as string };
}

test("a message goes from one client to the devices of another, and is gone once it has arrived", async () => {
  const home = await testHome();
  const alice = await home.register("alice");
  const laptop = await home.login("alice");
  const bob = await home.register("bob");
  const { next } = await received(laptop);
  const content = { a: 1.5, nested: { constructor: [] } };
  const messages = { [alice.userId]: { [laptop.deviceId]: content } };
  for (let i = 0; i < 2; i++) {
    expect(await send(bob, messages, "a%2Fb", "m.room.encrypted")).toMatchObject({ status: 200, body: {} });
  }
  const got = await received(laptop, next);
  expect(got.events).toEqual([{ type: "m.room.encrypted", sender: bob.userId, content }]);
  expect((await received(laptop, got.next)).events).toEqual([]);
  expect((await received(alice)).events).toEqual([]);
});

test("a device that logs out takes its messages along", async () => {
  const home = await testHome();
  const alice = await home.register("alice");
  const laptop = await home.login("alice");
  await send(alice, { [alice.userId]: { "*": {} } });
  expect(await home.node.storage.getAllKeys("toDevice")).toHaveLength(2);
  await laptop.ask("POST", "/logout", {});
  const left = await home.node.storage.getAllKeys("toDevice");
  expect(left.map((key) => key[1])).toEqual([alice.deviceId]);
  await send(alice, { [alice.userId]: { [laptop.deviceId]: {} } }, "2");
  expect(await home.node.storage.getAllKeys("toDevice")).toEqual(left);
});

test.each<[what: string, body: JsonObject, status: number, errcode: string]>([
  ["no messages", {}, 400, "M_MISSING_PARAM"],
  ["messages that are no object", { messages: [] }, 400, "M_BAD_JSON"],
  ["a user with no devices", { messages: { "@a:h": 5 } }, 400, "M_BAD_JSON"],
  ["a content that is no object", { messages: { "@a:h": { D: "x" } } }, 400, "M_BAD_JSON"],
  ["somebody who is no user", { messages: { alice: { D: {} } } }, 400, "M_INVALID_PARAM"],
  ["too large a message", { messages: { "@a:h": { D: { a: "x".repeat(70_000) } } } }, 413, "M_TOO_LARGE"],
  ["too large a body", { messages: {}, a: "x".repeat(maxBodyBytes) }, 413, "M_TOO_LARGE"],
])("a request with %s is refused", async (_, body, status, errcode) => {
  const home = await testHome();
  const alice = await home.register("alice");
  expect(await alice.ask("PUT", "/sendToDevice/m.x/1", body)).toMatchObject({ status, body: { errcode } });
});

test("what is wrong in a request is named", async () => {
  const home = await testHome();
  const alice = await home.register("alice");
  const { body } = await send(alice, { "@a:h": { D: "x" } });
  expect(body.error).toBe('"messages.@a:h.D" should be an object.');
  const none = await home.ask("PUT", "/_matrix/client/v3/sendToDevice/m.x/1", { body: { messages: {} } });
  expect(none).toMatchObject({ status: 401, body: { errcode: "M_MISSING_TOKEN" } });
});
