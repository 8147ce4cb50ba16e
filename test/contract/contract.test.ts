import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { notServedYet } from "./not-served-yet.ts";
import { scenarios } from "./scenarios/index.ts";
import { howToGetIt } from "./spec/location.ts";
import { loadSpec, type Operation, type Spec } from "./spec/operations.ts";
import { valuesOfOtherTypes } from "./spec/schemas.ts";
import { type Answer, endpoints, type Homeserver, openHomeserver, type Sent } from "./support/homeserver.ts";
import { openWorld, part, type World } from "./support/person.ts";
import { nameOf, type Prepared, type Scenario, sentOf, shapeOf } from "./support/scenario.ts";

/*
 * Every operation of the client-server API that the specification lists is used on a whole homeserver, as it is meant
 * to be and in ways that it must refuse. What is checked comes from the specification's own OpenAPI files.
 */

const spec = loadSpec();
const served = new Set(endpoints.map(({ description: { method, path } }) => shapeOf(`${method} ${path}`)));
const isServed = ({ route }: Operation) => served.has(shapeOf(route));
const ofOperation = ({ operationId }: Operation) =>
  scenarios.filter(({ operation }) => operation === operationId);

let homeserver: Homeserver;
let world: World;

/** What every answer has, whatever it says. https://spec.matrix.org/v1.19/client-server-api/#web-browser-clients */
function expectCors({ headers }: Answer): void {
  expect(headers.get("Access-Control-Allow-Origin")).toBe("*");
  const methods = headers.get("Access-Control-Allow-Methods")?.split(", ");
  expect(methods).toEqual(expect.arrayContaining(["GET", "POST", "PUT", "DELETE", "OPTIONS"]));
  const allowed = headers.get("Access-Control-Allow-Headers")?.split(", ");
  expect(allowed).toEqual(expect.arrayContaining(["X-Requested-With", "Content-Type", "Authorization"]));
}

/** @param errcodes - one of which it has to be */
function expectError(answer: Answer, statuses: readonly number[], errcodes: readonly string[]): void {
  const { status, body, text } = answer;
  expect(statuses, text).toContain(status);
  expect(errcodes, text).toContain(body.errcode);
  expect(body.error).toMatch(/\S/);
  expectCors(answer);
}

/** What a request that is wrong in itself may be answered with. */
function expectRefusal(answer: Answer, { expected }: Scenario): void {
  const errcodes = ["M_BAD_JSON", "M_INVALID_PARAM", "M_MISSING_PARAM"];
  // An operation that cannot succeed need not find out in how many ways it cannot.
  if (expected?.errcode !== undefined) {
    expectError(answer, [400, expected.status], [...errcodes, expected.errcode]);
  } else {
    expectError(answer, [400], errcodes);
  }
}

/** @returns the preparation of the scenario, and how to send it with something changed */
async function sending(scenario: Scenario) {
  const prepared = await scenario.prepare(world);
  const send = (change: Partial<Prepared> = {}, more: Partial<Sent> = {}) =>
    homeserver.send({ ...sentOf(scenario, { ...prepared, ...change }), ...more });
  return { prepared, send };
}

function validRequest({ schemas }: Spec, { requestSchema, responseSchema }: Operation, scenario: Scenario) {
  return async () => {
    const { prepared, send } = await sending(scenario);
    if (requestSchema !== undefined && prepared.body !== undefined) {
      expect(schemas.complaints(requestSchema, prepared.body), "the scenario's own body").toEqual([]);
    }
    const { expected = { status: 200 } } = scenario;
    const answer = await send();
    expect(answer.status, answer.text).toBe(expected.status);
    expectCors(answer);
    if (expected.errcode !== undefined) {
      expectError(answer, [expected.status], [expected.errcode]);
    } else if (responseSchema !== undefined && expected.status === 200) {
      const complaints = schemas.complaints(responseSchema, answer.body);
      if (scenario.departure === undefined) expect(complaints, answer.text).toEqual([]);
      else expect(complaints, "it departs from the schema no more").not.toEqual([]);
    }
    await prepared.check?.(answer);
  };
}

function tokens(operation: Operation, scenario: Scenario) {
  return async () => {
    const { send } = await sending(scenario);
    const auth = scenario.auth ?? operation.auth;
    if (auth === "required") expectError(await send({}, { token: undefined }), [401], ["M_MISSING_TOKEN"]);
    const unknown = await send({}, { token: "nobody-has-this" });
    if (auth === "none") expect(unknown.body.errcode).not.toBe("M_UNKNOWN_TOKEN");
    else expectError(unknown, [401], ["M_UNKNOWN_TOKEN"]);
  };
}

function otherMethods(scenario: Scenario) {
  return async () => {
    const { send } = await sending(scenario);
    expectError(await send({}, { method: "PATCH" }), [405], ["M_UNRECOGNIZED"]);
    const preflight = await send({}, { method: "OPTIONS", token: undefined, body: undefined });
    expect([200, 204]).toContain(preflight.status);
    expectCors(preflight);
  };
}

function brokenBodies(scenario: Scenario) {
  return async () => {
    const { send } = await sending(scenario);
    const elsewise = scenario.expected?.errcode === undefined ? [] : [scenario.expected.errcode];
    const statuses = [400, scenario.expected?.status ?? 400];
    for (const body of ['{"a":', "nothing", new Uint8Array([0x22, 0xff, 0x22])]) {
      expectError(await send({ body }), statuses, ["M_NOT_JSON", ...elsewise]);
    }
    expectError(await send({ body: '["a"]' }), statuses, ["M_BAD_JSON", ...elsewise]);
  };
}

function misshapenBodies({ schemas }: Spec, schema: string, scenario: Scenario) {
  return async () => {
    const { prepared, send } = await sending(scenario);
    const body = prepared.body as JsonObject;
    for (const member of schemas.members(schema)) {
      const { name, required } = member;
      if (scenario.ignores?.includes(name)) continue;
      const { types, closed } = member;
      for (const wrong of valuesOfOtherTypes({ types, closed: closed && !scenario.open?.includes(name) })) {
        const change = { body: { ...body, [name]: wrong } };
        await expectThat(() => send(change), scenario, `"${name}" as ${JSON.stringify(wrong)}`);
      }
      if (required) {
        const { [name]: _, ...rest } = body;
        await expectThat(() => send({ body: rest }), scenario, `without "${name}"`);
      }
    }
  };
}

function misshapenQueries({ parameters }: Operation, scenario: Scenario) {
  return async () => {
    const { prepared, send } = await sending(scenario);
    for (const { name, in: place, required, types, closed } of parameters) {
      if (place !== "query" || scenario.ignores?.includes(name)) continue;
      const textual = types === undefined || types.includes("string") || types.includes("array");
      if (!textual || closed) {
        const change = { query: { ...prepared.query, [name]: "wrong" } };
        await expectThat(() => send(change), scenario, `"${name}" as wrong`);
      }
      if (required) {
        const { [name]: _, ...rest } = prepared.query ?? {};
        await expectThat(() => send({ query: rest }), scenario, `without "${name}"`);
      }
    }
  };
}

/** @param what - for whoever reads the failure */
async function expectThat(send: () => Promise<Answer>, scenario: Scenario, what: string): Promise<void> {
  const answer = await send();
  expect(answer.status, `${what}: ${answer.text}`).toBeGreaterThanOrEqual(400);
  expectRefusal(answer, scenario);
}

function testOperation(spec: Spec, operation: Operation): void {
  const [first, ...others] = ofOperation(operation);
  if (first === undefined) throw new Error(`${operation.operationId} has no scenario`);
  for (const scenario of [first, ...others]) test(nameOf(scenario), validRequest(spec, operation, scenario));
  test("its tokens", tokens(operation, first));
  test("other methods", otherMethods(first));
  if (operation.parameters.some(({ in: place }) => place === "query")) {
    test("queries of another shape", misshapenQueries(operation, first));
  }
  if (operation.requestSchema !== undefined) {
    test("bodies that are no JSON objects", brokenBodies(first));
    test("bodies of another shape", misshapenBodies(spec, operation.requestSchema, first));
  }
}

function testAbsence(operation: Operation): void {
  test("is answered as an operation that is not there", async () => {
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => part(name));
    const answer = await homeserver.send({ method: operation.method, path });
    expectError(answer, [404, 405], ["M_UNRECOGNIZED"]);
  });
}

function testContract(spec: Spec): void {
  beforeAll(async () => {
    homeserver = await openHomeserver();
    world = await openWorld(homeserver);
  });
  afterAll(() => homeserver.end());

  test("each operation is either served or listed as not served yet, and not both", () => {
    const missing = spec.operations.filter((operation) => !isServed(operation));
    expect(Object.keys(notServedYet).sort()).toEqual(missing.map(({ operationId }) => operationId).sort());
  });

  test("each scenario is of an operation that there is, and has its route", () => {
    const routes = new Map(spec.operations.map(({ operationId, route }) => [operationId, route]));
    for (const scenario of scenarios.filter(({ operation }) => operation !== undefined)) {
      expect([scenario.operation, scenario.route]).toEqual([
        scenario.operation,
        routes.get(scenario.operation!),
      ]);
    }
  });

  describe.each(spec.operations)("$operationId $route", (operation) => {
    if (isServed(operation)) testOperation(spec, operation);
    else testAbsence(operation);
  });
}

if (spec === undefined) {
  console.log(`hearth: contract test: ${howToGetIt}`);
  test.skip("the contract test, for want of the specification's data", () => undefined);
} else {
  testContract(spec);
}
