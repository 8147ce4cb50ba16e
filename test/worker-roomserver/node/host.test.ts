import { expect, test } from "vitest";
import { answerHost, type HostAnswer } from "../../../src/worker-roomserver/node/host.ts";
import { testNode } from "../support/node.ts";

const jsonOf = ({ text }: HostAnswer) => JSON.parse(text);

test("the host of a page uses the owner's API without an account", async () => {
  const node = await testNode();
  const made = await answerHost(node, {
    ...{ method: "POST", target: "/_hearth/v1/users" },
    body: JSON.stringify({ username: "owner", password: "correct horse", admin: true }),
  });
  expect(made).toMatchObject({ status: 200 });
  expect(jsonOf(made)).toMatchObject({ user_id: expect.stringMatching(/^@owner:/), admin: true });
  const listed = jsonOf(await answerHost(node, { method: "GET", target: "/_hearth/v1/users?search=own" }));
  expect(listed.users).toHaveLength(1);
});

test("what the API refuses, and what is none of it, is answered", async () => {
  const node = await testNode();
  const bad = { method: "PUT", target: "/_hearth/v1/settings", body: '{"registration":"maybe"}' };
  expect(await answerHost(node, bad)).toMatchObject({ status: 400 });
  const unknown = await answerHost(node, { method: "GET", target: "/_matrix/client/v3/sync" });
  expect([unknown.status, jsonOf(unknown).errcode]).toEqual([404, "M_UNRECOGNIZED"]);
});

test("a failure of the homeserver's is one in words", async () => {
  const node = await testNode();
  const broken = { info: () => Promise.reject(new Error("gone")), console: node.console };
  const answer = await answerHost(broken, { method: "GET", target: "/_hearth/v1/users" });
  expect([answer.status, jsonOf(answer)]).toEqual([500, { errcode: "M_UNKNOWN", error: "Error: gone" }]);
});
