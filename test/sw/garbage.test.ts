import fc from "fast-check";
import * as v from "valibot";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  type MockInstance,
  test,
  vi,
} from "vitest";
import { isJsonObject, type JsonObject } from "../../src/matrix/json.ts";
import type { Description } from "../../src/sw/endpoint.ts";
import { allEndpoints } from "../../src/sw/index.ts";
import { type OpenNode, openNode } from "../../src/worker-roomserver/node/node.ts";
import { asToken, yamlOf } from "../worker-roomserver/appservices/support/registration.ts";
import { type Dump, dumpDatabase } from "../worker-roomserver/support/storage.ts";
import { type Answer, type Ask, asking } from "./support/ask.ts";

/*
 * Every endpoint of the real homeserver is given what no client should send. Each answer must be an error of the form
 * that the endpoint writes them in, and not a row of the database may differ afterwards. Where garbage could be valid by chance, it is made so that
 * it cannot be.
 */

/** Each endpoint is tried in several ways, so that few examples of each are many in all. */
const examples = { numRuns: Math.ceil(inject("propertyRuns") / 10) };
const endpoints = allEndpoints;

const dbName = `garbage-${crypto.randomUUID()}`;
let node: OpenNode;
let ask: Ask;
let token: string;

beforeAll(async () => {
  node = await openNode({
    dbName,
    now: () => 1_700_000_000_000,
    onStopped: (why) => expect.unreachable(`stopped: ${why}`),
    passwordCost: { memoryKiB: 8, iterations: 1, parallelism: 1 },
  });
  ask = asking({ node, endpoints });
  const { body } = await ask("POST", "/_matrix/client/v3/register", {
    body: { username: "alice", password: "correct horse battery", auth: { type: "m.login.dummy" } },
  });
  token = body.access_token as string;
  const room = await ask("POST", "/_matrix/client/v3/createRoom", { token, body: { name: "Garden" } });
  expect(room.status).toBe(200);
  await node.appServices.add(yamlOf({ url: null }));
});
afterAll(() => node.close());

/** Of somebody who may ask for it, if only it were asked for well. */
const tokenFor = ({ auth }: Description) => (auth === "appService" ? asToken : token);

/**
 * Sessions of user-interactive authentication are opened by whoever asks: they are no harm done. And how far it has
 * come is noted by who follows the log in its own time, for what was written before.
 */
const noHarm = new Set(["uia", "readers", "searchBlocks"]);

async function dump(): Promise<Dump> {
  await node.storage.flushed();
  const stores = Object.entries(await dumpDatabase(dbName)).filter(([name]) => !noHarm.has(name));
  // Search follows the log as well, and notes in a row of this store how far it is.
  return Object.fromEntries(stores.map(([name, rows]) => [name, rows.filter(([key]) => key !== "search")]));
}

function expectError({ refusal }: Description, { status, body, headers }: Answer): void {
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).not.toBe(500);
  if (refusal !== undefined) {
    if (headers.get("Content-Type") !== "application/json") return;
    expect(body).toEqual({
      error: expect.stringMatching(/^[a-z_]+$/),
      error_description: expect.any(String),
    });
    return;
  }
  // The first answer of user-interactive authentication is a 401 of another form.
  if (status === 401 && Array.isArray(body.flows)) return;
  expect(body).toMatchObject({
    errcode: expect.stringMatching(/^M_[A-Z_]+$/),
    error: expect.stringMatching(/\S/),
  });
}

type Sent = { path?: string; token?: string; headers?: HeadersInit; body?: BodyInit | JsonObject };

/** Sends each example to the endpoint, and holds its answer to `check` and the database to what it was. */
async function barrage(
  description: Description,
  garbage: fc.Arbitrary<Sent>,
  check: (answer: Answer) => void,
): Promise<void> {
  const before = await dump();
  await fc.assert(
    fc.asyncProperty(garbage, async ({ path, ...sent }) => {
      const answer = await ask(description.method, path!, sent);
      expectError(description, answer);
      check(answer);
    }),
    examples,
  );
  expect(await dump()).toEqual(before);
}

/** Text that can stand in a path: without it, a URL would be another one. */
const segment = fc
  .tuple(
    fc.constantFrom("", "!", "@", "$", "#", "@alice:", "!a:"),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 300 }),
    fc.constantFrom("", ":example.org", ":", "/../.."),
  )
  .map((parts) => parts.join("").replaceAll("\0", ""))
  .filter((text) => !["", ".", ".."].includes(text));

const parameterNames = (path: string) => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);

function pathWith(path: string, values: readonly string[]): string {
  let index = 0;
  return path.replace(/\{\w+\}/g, () => encodeURIComponent(values[index++]!));
}

/** Paths of the endpoint with garbage for each parameter. */
const garbagePath = ({ path }: Description) =>
  fc
    .array(segment, { minLength: parameterNames(path).length, maxLength: parameterNames(path).length })
    .map((values) => pathWith(path, values));

const jsonTexts = [
  '{"a":"\\ud800"}',
  '{"\\udc00":1}',
  '{"a":"\\u0000"}',
  '{"a":1,"a":2}',
  '{"a":1e999}',
  '{"a":1',
  "{'a':1}",
  `${'{"a":'.repeat(200)}1${"}".repeat(200)}`,
  `{"a":"${"x".repeat(1_100_000)}"}`,
];
const isObjectText = (text: string) => {
  try {
    return isJsonObject(JSON.parse(text));
  } catch {
    return false;
  }
};
/** What is no JSON object at all, or one that cannot be kept as it was sent. */
const garbageBody: fc.Arbitrary<BodyInit> = fc.oneof(
  fc.constantFrom(...jsonTexts),
  fc.uint8Array({ minLength: 1 }).filter((bytes) => !isObjectText(new TextDecoder().decode(bytes))),
  fc.string({ minLength: 1 }).filter((text) => !isObjectText(text)),
  fc
    .jsonValue()
    .filter((value) => !isJsonObject(value))
    .map((value) => JSON.stringify(value)),
);

type Entries = Record<string, v.GenericSchema>;
const entriesOf = (schema: v.GenericSchema | undefined): Entries =>
  schema !== undefined && "entries" in schema ? (schema.entries as Entries) : {};

/** Objects of the members that the schema knows, which it does not take. */
const misshapen = (schema: v.GenericSchema, member: fc.Arbitrary<unknown>) =>
  fc
    .record(Object.fromEntries(Object.keys(entriesOf(schema)).map((name) => [name, member])), {
      requiredKeys: [],
    })
    .filter((value) => !v.safeParse(schema, value).success);

/** A body with all members that the endpoint knows, which it takes, so that its handler meets the garbage in the path. */
function takenBody(schema: v.GenericSchema): JsonObject {
  const candidates = [
    "x",
    1,
    true,
    {},
    [],
    ["x"],
    ...("options" in schema ? (schema.options as unknown[]) : []),
  ];
  const pick = (member: v.GenericSchema): unknown => {
    const options = "options" in member ? (member.options as unknown[]) : [];
    const found = [...options, ...candidates].find((value) => v.safeParse(member, value).success);
    return found ?? takenBody(member);
  };
  const members = Object.entries(entriesOf(schema)).map(([name, member]) => [name, pick(member)]);
  return Object.fromEntries(members) as JsonObject;
}

const bodyOf = ({ body }: Description): { body?: JsonObject } =>
  body === undefined ? {} : { body: takenBody(body) };
const badRequest = ({ status }: Answer) => expect([400, 413]).toContain(status);
/** Whether a member refuses any of the values. */
const mayFail = (schema: v.GenericSchema | undefined, ...values: unknown[]): boolean =>
  Object.values(entriesOf(schema)).some((member) => values.some((value) => !v.is(member, value)));

type Case = [name: string, description: Description];
const cases = (applies: (description: Description) => boolean): Case[] =>
  endpoints
    .map(({ description }): Case => [`${description.method} ${description.path}`, description])
    .filter(([, description]) => applies(description));

const hasParameters = ({ path }: Description) => parameterNames(path).length > 0;
const withPlainPath = (path: string) => path.replace(/\{\w+\}/g, "x");

let complaints: MockInstance<typeof console.error>;
beforeEach(() => {
  complaints = vi.spyOn(console, "error");
});
afterEach(() => vi.restoreAllMocks());

describe("a token that is none", () => {
  const headers = fc.oneof(
    fc.string({ unit: fc.constantFrom(..."abc019 _-=.,:%") }).map((text) => `Bearer ${text}`),
    fc.constantFrom("Bearer __proto__", "Basic YTpi", "Bearer", "token"),
  );

  test.each(cases(({ auth }) => auth !== "none" && auth !== "appServiceOrNone"))("%s", (_, description) => {
    const garbage = fc.record({ path: garbagePath(description), Authorization: headers });
    return barrage(
      description,
      garbage.map(({ path, ...headers }) => ({ path, headers, ...bodyOf(description) })),
      ({ status }) => expect(status).toBe(401),
    );
  });
});

describe("broken escapes in the path", () => {
  const broken = fc.constantFrom("%", "%4", "%zz", "%ff", "%ED%A0%80", "a%00b");

  test.each(cases(hasParameters))("%s", (_, description) => {
    const garbage = broken.map((text) => description.path.replace(/\{\w+\}/g, text));
    return barrage(
      description,
      garbage.map((path) => ({ path, token: tokenFor(description), ...bodyOf(description) })),
      badRequest,
    );
  });
});

describe("ids and names that do not exist", () => {
  /**
   * Any type of message and any transaction id is one: what is for nobody is then for nobody. Who of another server there
   * is, nobody here knows, so that anybody of one may be complained of.
   */
  const isMadeUp = ({ path }: Description) =>
    path.includes("/sendToDevice/") || /\/users\/.*\/report$/.test(path);

  test.each(cases((description) => hasParameters(description) && !isMadeUp(description)))(
    "%s",
    (_, description) =>
      barrage(
        description,
        garbagePath(description).map((path) => ({
          path,
          token: tokenFor(description),
          ...bodyOf(description),
        })),
        () => expect(complaints).not.toHaveBeenCalled(),
      ),
  );
});

describe("broken escapes in the query", () => {
  const broken = fc.constantFrom("?%", "?a=%4", "?%zz=1", "?a=%ff", "?a=%00");

  test.each(cases(() => true))("%s", (_, description) =>
    barrage(
      description,
      broken.map((query) => ({
        path: withPlainPath(description.path) + query,
        token: tokenFor(description),
        ...bodyOf(description),
      })),
      badRequest,
    ),
  );
});

describe("query parameters of no use", () => {
  const values = fc.oneof(
    fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\0", "")),
    fc.array(fc.constant("x"), { minLength: 2, maxLength: 3 }),
  );

  test.each(cases(({ query }) => mayFail(query, "x", ["x", "x"])))("%s", (_, description) => {
    const garbage = misshapen(description.query!, values).map((parameters) =>
      Object.entries(parameters as Record<string, string | string[]>)
        .flatMap(([name, value]) => [value].flat().map((one) => `${name}=${encodeURIComponent(one)}`))
        .join("&"),
    );
    return barrage(
      description,
      garbage.map((query) => ({
        path: `${withPlainPath(description.path)}?${query}`,
        token: tokenFor(description),
        ...bodyOf(description),
      })),
      badRequest,
    );
  });
});

describe("bodies that are no JSON objects", () => {
  // Of bytes all will do, and of a form nearly all.
  test.each(cases(({ body, bodyFormat }) => body !== undefined && bodyFormat === undefined))(
    "%s",
    (_, description) => {
      const garbage = fc.record({ path: garbagePath(description), body: garbageBody });
      return barrage(
        description,
        garbage.map((sent) => ({ ...sent, token: tokenFor(description) })),
        badRequest,
      );
    },
  );
});

describe("bodies of another shape", () => {
  test.each(cases(({ body }) => mayFail(body, "x", 1)))("%s", (_, description) => {
    const garbage = fc.record({
      path: garbagePath(description),
      body: misshapen(description.body!, fc.jsonValue()).map((body) => JSON.stringify(body)),
    });
    return barrage(
      description,
      garbage.map((sent) => ({ ...sent, token: tokenFor(description) })),
      badRequest,
    );
  });
});

test.each(cases(() => true))("another method than that of %s", async (_, { path }) => {
  const answer = await ask("PATCH", withPlainPath(path), { token });
  expect([answer.status, answer.body.errcode]).toEqual([405, "M_UNRECOGNIZED"]);
});
