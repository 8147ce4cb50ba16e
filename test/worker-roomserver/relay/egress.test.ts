import { expect, test } from "vitest";
import { LinkError } from "../../../src/link/api.ts";
import type { EgressRequest, EgressTarget } from "../../../src/worker-roomserver/egress/api.ts";
import { bytesOf } from "../../../src/worker-roomserver/egress/body.ts";
import { askOver, mayGoOverRelay } from "../../../src/worker-roomserver/relay/egress.ts";
import { FakeRelay, stream } from "./support/fake-relay.ts";

const target: EgressTarget = { kind: "push", url: "https://push.example.org/notify?x=1" };
const request: EgressRequest = {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: '{"a":1}',
  timeout: 5_000,
  maxBytes: 10,
};

/** What comes of it: the answer with its body read, or why there is none. */
async function asked(relay: FakeRelay) {
  const answer = await askOver(relay.connect(), target, request);
  return "failure" in answer ? answer : { ...answer, body: await bytesOf(answer) };
}

test("a request goes to the relay as it is, with what it is for, and its answer comes back", async () => {
  const relay = new FakeRelay();
  relay.egressAnswer = { status: 404, headers: [["content-type", "a/b"]], body: stream("no") };
  const answer = await asked(relay);
  expect(relay.egress).toEqual([
    {
      method: "POST",
      target: "https://push.example.org/notify?x=1",
      headers: [
        ["content-type", "application/json"],
        ["x-hearth-purpose", "push"],
        ["content-length", "7"],
      ],
    },
  ]);
  const body = new TextEncoder().encode("no");
  expect(answer).toEqual({ status: 404, headers: { "content-type": "a/b" }, url: target.url, body });
});

test.each([
  ["refused", 403, "refused"],
  ["limited", 429, "unreachable"],
  ["unreachable", 502, "unreachable"],
  ["timeout", 504, "timeout"],
])("that it is %s is no answer of the other server", async (verdict, status, failure) => {
  const relay = new FakeRelay();
  relay.egressAnswer = { status, headers: [["x-hearth-egress", verdict]], body: stream("{}") };
  expect(await asked(relay)).toMatchObject({ failure });
});

test("what is wrong on the way says nothing of the other server", async () => {
  const relay = new FakeRelay();
  const limited = (more: [string, string][]) => {
    const headers = [["x-hearth-egress", "limited"], ...more] as [string, string][];
    relay.egressAnswer = { status: 429, headers, body: stream("{}") };
  };
  limited([["retry-after", "7"]]);
  expect(await asked(relay)).toMatchObject({ isOurs: true, retryAfter: 7000 });
  limited([]);
  expect(await asked(relay)).toMatchObject({ isOurs: true, retryAfter: 1000 });
  const gone = { request: () => Promise.reject(new LinkError("The session has ended.", false)) };
  expect(await askOver(gone, target, request)).toMatchObject({ failure: "unreachable", isOurs: true });
  relay.egressAnswer = { status: 502, headers: [["x-hearth-egress", "unreachable"]], body: stream("{}") };
  expect(await asked(relay)).not.toHaveProperty("isOurs");
});

test("an answer that stalls ends with its time", async () => {
  const relay = new FakeRelay();
  relay.egressAnswer = { status: 200, headers: [], body: new ReadableStream<Uint8Array>() };
  const answer = await askOver(relay.connect(), target, { ...request, timeout: 20 });
  if ("failure" in answer) throw new Error(answer.why);
  expect(await bytesOf(answer)).toMatchObject({ failure: "timeout" });
});

test("an answer that is too long is none, nor one that breaks off", async () => {
  const relay = new FakeRelay();
  relay.egressAnswer = { status: 200, headers: [], body: stream("x".repeat(11)) };
  expect(await asked(relay)).toMatchObject({ body: { failure: "tooLarge" } });
  const broken = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error("gone")) });
  relay.egressAnswer = { status: 200, headers: [], body: broken };
  expect(await asked(relay)).toMatchObject({ body: { failure: "unreachable" } });
});

test("a relay goes nowhere but to public hosts, by https", () => {
  expect(mayGoOverRelay(target)).toBe(true);
  for (const url of ["http://push.example.org/", "https://localhost/", "https://192.168.0.1/"]) {
    expect(mayGoOverRelay({ ...target, url })).toBe(false);
  }
});
