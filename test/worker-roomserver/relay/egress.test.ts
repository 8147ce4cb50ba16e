import { expect, test } from "vitest";
import { EgressRefused, type EgressRequest } from "../../../src/worker-roomserver/egress/api.ts";
import { askOver, mayGoOverRelay } from "../../../src/worker-roomserver/relay/egress.ts";
import { FakeRelay, stream } from "./support/fake-relay.ts";

const request: EgressRequest = {
  method: "POST",
  purpose: "push",
  url: "https://push.example.org/notify?x=1",
  headers: { "Content-Type": "application/json" },
  body: '{"a":1}',
  timeout: 5_000,
  maxBytes: 10,
};

test("a request goes to the relay as it is, with what it is for, and its answer comes back", async () => {
  const relay = new FakeRelay();
  relay.egressAnswer = { status: 404, headers: [["content-type", "a/b"]], body: stream("no") };
  const answer = await askOver(relay.connect(), request);
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
  expect(answer).toMatchObject({ status: 404, headers: { "content-type": "a/b" } });
  expect(new TextDecoder().decode(answer.body)).toBe("no");
});

test.each([
  ["refused", 403, EgressRefused],
  ["limited", 429, Error],
  ["unreachable", 502, Error],
  ["timeout", 504, expect.objectContaining({ name: "TimeoutError" })],
])("that it is %s is no answer of the other server", async (verdict, status, error) => {
  const relay = new FakeRelay();
  relay.egressAnswer = { status, headers: [["x-hearth-egress", verdict]], body: stream("{}") };
  await expect(askOver(relay.connect(), request)).rejects.toThrow(error as Error);
});

test("an answer that is too long is an error", async () => {
  const relay = new FakeRelay();
  relay.egressAnswer = { status: 200, headers: [], body: stream("x".repeat(11)) };
  await expect(askOver(relay.connect(), request)).rejects.toThrow("more than 10 bytes");
});

test("a relay goes nowhere but to public hosts, by https", () => {
  expect(mayGoOverRelay(request)).toBe(true);
  for (const url of ["http://push.example.org/", "https://localhost/", "https://192.168.0.1/"]) {
    expect(mayGoOverRelay({ ...request, url })).toBe(false);
  }
});
