import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../src/matrix/json.ts";
import type { Description, Endpoint } from "../../src/sw/endpoint.ts";
import { createRouter } from "../../src/sw/router.ts";
import { scenarios } from "./scenarios/index.ts";
import { endpoints, type Homeserver, openHomeserver } from "./support/homeserver.ts";
import { openWorld, type World } from "./support/person.ts";
import { nameOf, type Scenario, sentOf, shapeOf } from "./support/scenario.ts";
import { withoutScenario } from "./without-scenario.ts";

/*
 * What each endpoint says of itself is true, whatever the specification says: this needs none of its data.
 */

const routeOf = ({ method, path }: Description) => `${method} ${path}`;
const scenariosOf = (description: Description) =>
  scenarios.filter(({ route }) => shapeOf(route) === shapeOf(routeOf(description)));
const cases = endpoints.map(({ description }): [string, Description] => [routeOf(description), description]);

/** The members that a schema of an object names. */
const entriesOf = (schema: v.GenericSchema | undefined): [string, v.GenericSchema][] =>
  schema !== undefined && "entries" in schema
    ? Object.entries(schema.entries as Record<string, v.GenericSchema>)
    : [];

const values: JsonValue[] = [17, "wrong", true, [["wrong"]], { wrong: 17 }];
const refusedBy = (schema: v.GenericSchema) => values.filter((value) => !v.safeParse(schema, value).success);

let homeserver: Homeserver;
let world: World;
beforeAll(async () => {
  homeserver = await openHomeserver();
  world = await openWorld(homeserver);
});
afterAll(() => homeserver.end());

test("each endpoint is used by a scenario, or listed as one that is not, and not both", () => {
  const unused = endpoints.filter(({ description }) => scenariosOf(description).length === 0);
  const routes = unused.map(({ description }) => routeOf(description));
  expect(Object.keys(withoutScenario).sort()).toEqual(routes.sort());
});

describe("no endpoint stands in the way of another", () => {
  const route = createRouter(endpoints);
  const found = (method: string, path: string): Endpoint => route(method, path).target;

  test.each(endpoints.map((one): [string, Endpoint] => [routeOf(one.description), one]))("%s", (_, one) => {
    const { method, path } = one.description;
    const plain = path.replace(/\{\w+\}/g, "some-id");
    expect(found(method, plain)).toBe(one);
    expect(found(method, plain.replace("/_matrix/client/v3/", "/_matrix/client/r0/"))).toBe(one);
  });
});

test.each(cases)("the schema of the path of %s has its parameters", (_, { path, params }) => {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const entries = entriesOf(params);
  expect(entries.map(([name]) => name)).toEqual(expect.arrayContaining(names));
  // One more than the path has is one that is always left out.
  const others = entries.filter(([name]) => !names.includes(name));
  expect(others.filter(([, schema]) => !v.is(schema, undefined))).toEqual([]);
});

/** Whether a schema is of something that anything may be; no type is wrong there. */
const takesAnything = (schema: v.GenericSchema): boolean =>
  schema.type === "unknown" ||
  schema.type === "any" ||
  ("wrapped" in schema && takesAnything(schema.wrapped as v.GenericSchema));

/** Sends what the scenario does, with something changed, and gets a complaint about that. */
async function expectRefusal(scenario: Scenario, change: { body?: JsonObject; query?: string }) {
  const sent = sentOf(scenario, await scenario.prepare(world));
  const path = change.query === undefined ? sent.path : `${sent.path.split("?")[0]}?${change.query}`;
  const answer = await homeserver.send({ ...sent, path, ...(change.body && { body: change.body }) });
  expect([answer.status, answer.body.errcode], answer.text).toEqual([
    400,
    expect.stringMatching(/^M_(BAD_JSON|INVALID_PARAM|MISSING_PARAM)$/),
  ]);
}

describe("values of another type are refused", () => {
  const typed = cases.filter(
    ([, { body, query, bodyFormat }]) =>
      bodyFormat === undefined &&
      [...entriesOf(body), ...entriesOf(query)].some(([, schema]) => !takesAnything(schema)),
  );

  test.each(typed)("%s", async (_, description) => {
    const [scenario] = scenariosOf(description);
    if (scenario === undefined) return expect(withoutScenario).toHaveProperty([routeOf(description)]);
    const { body } = await scenario.prepare(world);
    for (const [name, schema] of entriesOf(description.body)) {
      if (takesAnything(schema)) continue;
      const wrong = refusedBy(schema);
      expect(wrong, `"${name}" takes anything`).not.toEqual([]);
      await expectRefusal(scenario, { body: { ...(body as JsonObject), [name]: wrong[0] } });
    }
    for (const [name, schema] of entriesOf(description.query)) {
      if (v.safeParse(schema, ["a", "b"]).success) continue;
      await expectRefusal(scenario, { query: `${name}=a&${name}=b` });
    }
  });
});

describe("the answer fits the description's own schema", () => {
  const used = endpoints.flatMap(({ description }) =>
    scenariosOf(description).map((scenario): [string, Scenario, Description] => [
      `${nameOf(scenario)} (${routeOf(description)})`,
      scenario,
      description,
    ]),
  );

  test.each(used)("%s", async (_, scenario, { response }) => {
    const prepared = await scenario.prepare(world);
    const answer = await homeserver.send(sentOf(scenario, prepared));
    const { expected = { status: 200 } } = scenario;
    expect(answer.status, answer.text).toBe(expected.status);
    if (expected.errcode !== undefined) {
      expect(answer.body).toMatchObject({ errcode: expected.errcode, error: expect.stringMatching(/\S/) });
    } else if (expected.status === 200 && answer.headers.get("Content-Type") === "application/json") {
      expect(v.safeParse(response, answer.body).issues).toBeUndefined();
    }
    await prepared.check?.(answer);
  });
});
