import { expose, wrap } from "comlink";
import { beforeAll, describe, expect, test } from "vitest";
import { MatrixError, notFound } from "../../../src/matrix/errors.ts";
import { prepareComlink } from "../../../src/worker-roomserver/node/across-ports.ts";
import { CommitSuperseded, LeaderFenced } from "../../../src/worker-roomserver/storage/errors.ts";

const json = new TextEncoder().encode('{"a":1}');

const service = () => ({
  given: new Uint8Array(0),
  async matrixError() {
    throw new MatrixError("M_LIMIT_EXCEEDED", 429, "Wait.", { retry_after_ms: 5, nested: { a: [1] } });
  },
  async helperError() {
    throw notFound("Nothing here.");
  },
  async fenced() {
    throw new LeaderFenced();
  },
  async superseded() {
    throw new CommitSuperseded();
  },
  async defect() {
    throw new TypeError("undefined is not a function");
  },
  async notEvenAnError() {
    throw "words";
  },
  synchronously() {
    throw notFound("At once.");
  },
  async bytes() {
    this.given = json.slice();
    return this.given;
  },
  async partOfLargerBytes() {
    const large = new Uint8Array(1000);
    large.set(json, 100);
    return large.subarray(100, 100 + json.length);
  },
  async lengthGiven() {
    return this.given.length;
  },
});
type Service = ReturnType<typeof service>;
type Bound = { [Name in Exclude<keyof Service, "given">]: () => Promise<unknown> };

function directly(): Bound {
  const target = service();
  return { ...target, synchronously: async () => target.synchronously() } as unknown as Bound;
}

function throughPort(): Bound {
  const { port1, port2 } = new MessageChannel();
  expose(service(), port1);
  return wrap<Service>(port2) as unknown as Bound;
}

beforeAll(prepareComlink);

describe.each<[string, () => Bound]>([
  ["directly", directly],
  ["through a port", throughPort],
])("called %s", (_, bind) => {
  const failure = (call: Promise<unknown>) =>
    call.then(
      () => expect.unreachable("it should have failed"),
      (error: unknown) => error,
    );

  test("a MatrixError keeps errcode, status, sentence and further members", async () => {
    const error = await failure(bind().matrixError());
    expect(error).toBeInstanceOf(MatrixError);
    expect(error).toMatchObject({ errcode: "M_LIMIT_EXCEEDED", status: 429, message: "Wait." });
    expect((error as MatrixError).toJSON()).toEqual({
      errcode: "M_LIMIT_EXCEEDED",
      error: "Wait.",
      retry_after_ms: 5,
      nested: { a: [1] },
    });
  });

  test.each(["helperError", "synchronously"] as const)("%s", async (name) => {
    expect(await failure(bind()[name]())).toMatchObject({ errcode: "M_NOT_FOUND", status: 404 });
  });

  test.each([
    ["fenced", "LeaderFenced"],
    ["superseded", "CommitSuperseded"],
    ["defect", "TypeError"],
  ] as const)("%s keeps its name", async (method, name) => {
    const error = await failure(bind()[method]());
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name });
    expect(error).not.toHaveProperty("errcode");
  });

  test.each(["bytes", "partOfLargerBytes"] as const)(
    "%s arrive whole, and without their surroundings",
    async (name) => {
      const got = (await bind()[name]()) as Uint8Array;
      expect([...got]).toEqual([...json]);
    },
  );
});

describe("through a port", () => {
  test("what was thrown without being an error becomes one", async () => {
    await expect(throughPort().notEvenAnError()).rejects.toThrow("words");
  });

  test("bytes are handed over, not copied", async () => {
    const bound = throughPort();
    await bound.bytes();
    expect(await bound.lengthGiven()).toBe(0);
  });
});
