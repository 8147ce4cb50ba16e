import { describe, expect, test } from "vitest";
import { badJson, MatrixError, tooLarge } from "../../../../src/matrix/errors.ts";
import { FederationError, type FederationFailure } from "../../../../src/worker-roomserver/federation/api.ts";
import { candidatesOf } from "../../../../src/worker-roomserver/federation/perform/candidates.ts";
import {
  reading,
  refusalOf,
  together,
  UselessAnswer,
} from "../../../../src/worker-roomserver/federation/perform/refusals.ts";

const answered = (status: number, error?: { errcode: string; error?: string }) =>
  new FederationError("answered", "b.example", `It answers ${status}.`, { status, ...(error && { error }) });

describe("what a failure at another server is to a client", () => {
  test.each<[FederationFailure, number]>([
    ["unreachable", 502],
    ["refused", 502],
    ["invalid", 502],
    ["tooLarge", 502],
    ["backingOff", 502],
    ["timeout", 504],
  ])("%s: %i", (failure, status) => {
    const refusal = refusalOf(new FederationError(failure, "b.example", "Why."));
    expect(refusal).toMatchObject({ errcode: "M_UNKNOWN", status, message: "b.example: Why." });
  });

  test.each<[string, number, { errcode: string; error?: string } | undefined, string, number]>([
    ["a refusal", 403, { errcode: "M_FORBIDDEN", error: "No." }, "M_FORBIDDEN", 403],
    ["an errcode of nobody's", 400, { errcode: "ORG_EXAMPLE_NO" }, "ORG_EXAMPLE_NO", 400],
    ["what is between servers", 400, { errcode: "M_INVALID_PARAM" }, "M_UNKNOWN", 502],
    ["a token that is no client's", 401, { errcode: "M_UNKNOWN_TOKEN" }, "M_UNKNOWN", 502],
    ["a missing login", 401, { errcode: "M_FORBIDDEN" }, "M_UNKNOWN", 502],
    ["a limit of this server's", 429, { errcode: "M_LIMIT_EXCEEDED" }, "M_UNKNOWN", 502],
    ["its own fault", 500, { errcode: "M_FORBIDDEN" }, "M_UNKNOWN", 502],
    ["what is no errcode", 403, { errcode: "a b\n" }, "M_UNKNOWN", 502],
    ["no error of Matrix", 403, undefined, "M_UNKNOWN", 502],
  ])("%s", (_, status, error, errcode, expected) => {
    expect(refusalOf(answered(status, error))).toMatchObject({ errcode, status: expected });
  });

  test("its words are shown with its name, and not too many of them", () => {
    const refusal = refusalOf(answered(403, { errcode: "M_FORBIDDEN", error: "x".repeat(10_000) }));
    expect(refusal?.message).toMatch(/^b\.example says: x+$/);
    expect(refusal!.message.length).toBeLessThan(400);
  });

  test("what is no server's failure goes on as it is", () => {
    expect(refusalOf(new MatrixError("M_UNKNOWN", 507, "The disk is full."))).toBeUndefined();
    expect(refusalOf(new TypeError())).toBeUndefined();
  });
});

test("an answer that cannot be read is its server's fault, and a full disk is not", async () => {
  for (const error of [badJson("Bad."), tooLarge("Large.")]) {
    const read = reading("b.example", () => Promise.reject(error));
    await expect(read).rejects.toEqual(new UselessAnswer("b.example", error.message));
  }
  const full = new MatrixError("M_UNKNOWN", 507, "The disk is full.");
  await expect(reading("b.example", () => Promise.reject(full))).rejects.toBe(full);
});

test("of several refusals the one that tells most counts, and all are heard", () => {
  const forbidden = new MatrixError("M_FORBIDDEN", 403, "a: no");
  const gone = new MatrixError("M_UNKNOWN", 502, "b: down");
  const absent = new MatrixError("M_NOT_FOUND", 404, "c: what room");
  expect(together([absent, gone, forbidden])).toMatchObject({
    ...{ errcode: "M_FORBIDDEN", status: 403, message: "a: no | b: down | c: what room" },
  });
  expect(together([absent, gone])).toMatchObject({ status: 502 });
  expect(together([absent])).toBe(absent);
  expect(together([])).toMatchObject({ errcode: "M_NOT_FOUND", status: 404 });
});

test("servers are asked once each, without this one and what is none", () => {
  const named = ["b.example", "own.example", "b.example", "no name", "c.example"];
  expect(candidatesOf(named, "own.example")).toEqual(["b.example", "c.example"]);
});
