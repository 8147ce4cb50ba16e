import type { ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { consoleEndpoints } from "../../src/sw/console/index.ts";
import { jsonSchema } from "../../src/sw/console/json-schema.ts";
import { openApiDocument } from "../../src/sw/console/openapi.ts";
import { scenarios } from "./scenarios/index.ts";
import { type Homeserver, openHomeserver } from "./support/homeserver.ts";
import { openWorld, type World } from "./support/person.ts";
import { nameOf, type Scenario, sentOf, shapeOf } from "./support/scenario.ts";
import { withoutScenario } from "./without-scenario.ts";

/*
 * The document that the owner's API has of itself: it is that of docs/, it names all there is, and every answer is as it says.
 */

type Operation = {
  operationId: string;
  summary: string;
  parameters: { name: string; in: string; required: boolean; schema: object }[];
  responses: { 200: { content: { "application/json": { schema: object } } } };
};
const document = openApiDocument(consoleEndpoints);
const paths = document.paths as Record<string, Record<string, Operation>>;
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    route: `${method.toUpperCase()} ${path}`,
    operation,
  })),
);

const ajv = new Ajv2020({ strict: true, allErrors: true });
const validatorOf = ({ responses }: Operation): ValidateFunction =>
  ajv.compile(responses[200].content["application/json"].schema);

test("docs/hearth-api.openapi.json is what `npm run console-api` writes", async () => {
  const text = `${JSON.stringify(document, undefined, 2)}\n`;
  await expect(text).toMatchFileSnapshot("../../docs/hearth-api.openapi.json");
});

test("it names every endpoint of the owner's, and each by a name of its own", () => {
  const routes = operations.map(({ route }) => route);
  const described = consoleEndpoints.map(({ description }) => `${description.method} ${description.path}`);
  expect(routes).toEqual(expect.arrayContaining(described));
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { route, operation } of operations) {
    expect([operation.operationId, operation.summary], route).toEqual([
      expect.stringMatching(/^[a-z][A-Za-z]+$/),
      expect.stringMatching(/\.$/),
    ]);
  }
});

test("parameters of a path are all there, and required", () => {
  for (const { route, operation } of operations) {
    const names = [...route.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const inPath = operation.parameters.filter((parameter) => parameter.in === "path");
    expect(inPath.map(({ name, required }) => [name, required])).toEqual(names.map((name) => [name, true]));
  }
});

describe("every answer is as the document says", () => {
  let homeserver: Homeserver;
  let world: World;
  beforeAll(async () => {
    homeserver = await openHomeserver();
    world = await openWorld(homeserver);
  });
  afterAll(() => homeserver.end());

  const used = operations.flatMap(({ route, operation }) =>
    scenarios
      .filter((scenario) => shapeOf(scenario.route) === shapeOf(route))
      .map((scenario): [string, Scenario, Operation] => [nameOf(scenario), scenario, operation]),
  );

  test("and there is one of each operation, but for those that say why there is none", () => {
    const have = new Set(used.map(([, , operation]) => operation));
    const without = operations.filter(({ operation }) => !have.has(operation)).map(({ route }) => route);
    const excused = Object.keys(withoutScenario);
    expect(without.filter((route) => !excused.includes(route))).toEqual([]);
  });

  test.each(used)("%s", async (_, scenario, operation) => {
    const answer = await homeserver.send(sentOf(scenario, await scenario.prepare(world)));
    expect(answer.status, answer.text).toBe(200);
    const validate = validatorOf(operation);
    expect(validate(answer.body), JSON.stringify([validate.errors, answer.body])).toBe(true);
  });

  test("only administrators get any, and others learn nothing of what there is", async () => {
    const alice = await world.person();
    const owners = operations.filter(({ route }) => !/(health|info|openapi\.json)$/.test(route));
    expect(owners.length).toBeGreaterThanOrEqual(consoleEndpoints.length);
    for (const { route } of owners) {
      const [method = "", path = ""] = route.split(" ");
      const at = path.replace(/\{\w+\}/g, "x");
      const answer = await homeserver.send({ method, path: at, token: alice.token });
      expect([answer.status, answer.body.errcode], route).toEqual([403, "M_FORBIDDEN"]);
      const { status, body } = await homeserver.send({ method, path: at });
      expect([status, body.errcode], route).toEqual([401, "M_MISSING_TOKEN"]);
    }
  });
});

describe("a schema of Valibot in JSON Schema", () => {
  test("what is wanted of a member stands beside its words", () => {
    const schema = v.object({
      a: v.pipe(v.optional(v.nullable(v.string()), null), v.description("words")),
      b: v.array(v.pipe(v.number(), v.integer(), v.minValue(1))),
      c: v.optional(v.picklist(["x", "y"]), "x"),
    });
    expect(jsonSchema(schema)).toEqual({
      type: "object",
      properties: {
        a: { anyOf: [{ type: "string" }, { type: "null" }], default: null, description: "words" },
        b: { type: "array", items: { type: "integer", minimum: 1 } },
        c: { type: "string", enum: ["x", "y"], default: "x" },
      },
      required: ["b"],
    });
  });

  test.each([
    ["schema", v.date()],
    ["action", v.pipe(v.string(), v.email())],
  ])("an unknown %s is no schema at all", (_, schema) => {
    expect(() => jsonSchema(schema)).toThrow(/no JSON Schema/);
  });
});
