import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import type { Description } from "../../src/sw/endpoint.ts";
import { mutants } from "./fuzz/mutations.ts";
import { everythingOf } from "./fuzz/readings.ts";
import { scenarios } from "./scenarios/index.ts";
import { type Answer, endpoints, type Homeserver, openHomeserver } from "./support/homeserver.ts";
import { openWorld, type Person, type World } from "./support/person.ts";
import { nameOf, type Scenario, shapeOf } from "./support/scenario.ts";

/*
 * Every endpoint gets requests that were valid until something in them became odd: wherever the oddity gets to, what
 * comes back is an error of Matrix or a success, and whatever was stored can be read.
 */

/** Each endpoint gets several in a run, so that all together get many. */
const examples = { numRuns: Math.ceil(inject("propertyRuns") / 5) };

const described = new Map(
  endpoints.map(({ description }) => [shapeOf(`${description.method} ${description.path}`), description]),
);
const cases = scenarios.flatMap((scenario): [string, Scenario, Description][] => {
  const description = described.get(shapeOf(scenario.route));
  return description === undefined ? [] : [[nameOf(scenario), scenario, description]];
});

let homeserver: Homeserver;
let world: World;
/** Everybody who has been here, with any device. */
const people: Person[] = [];

beforeAll(async () => {
  homeserver = await openHomeserver();
  const opened = await openWorld(homeserver);
  const person = async (more?: JsonObject) => {
    const one = await opened.person(more);
    people.push(one);
    return one;
  };
  world = { ...opened, person };
});
afterAll(() => homeserver.end());

/** The specification's OAuth 2.0 API answers in the words of OAuth. https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
const isOAuthError = ({ body }: Answer) => typeof body.error === "string" && /^[a-z_]+$/.test(body.error);

function expectProper(answer: Answer): void {
  const { status, headers, body, text } = answer;
  // A gateway's errors are those of another server that would have had to be asked.
  if (![502, 504].includes(status)) expect(status, text).toBeLessThan(500);
  if (status < 400 || headers.get("Content-Type") !== "application/json") return;
  // The first answer of user-interactive authentication is a 401 of another form.
  if (status === 401 && Array.isArray(body.flows)) return;
  if (body.errcode === undefined && isOAuthError(answer)) return;
  expect(body, text).toMatchObject({
    errcode: expect.stringMatching(/^[A-Z][A-Z0-9_.]+$/),
    error: expect.stringMatching(/\S/),
  });
}

describe("an odd request", () => {
  test.each(cases)("%s", async (_, scenario, description) => {
    let prepared = await scenario.prepare(world);
    const property = fc.asyncProperty(mutants(scenario, description, prepared), async (mutant) => {
      const answer = await homeserver.send(mutant(prepared));
      expectProper(answer);
      // It may have taken away the very token that it was sent with.
      if (answer.status < 300 && description.revokes === true) prepared = await scenario.prepare(world);
    });
    await fc.assert(property, examples);
  });
});

test("and all that was stored is read, also after the homeserver was opened again", async () => {
  const before = new Map<Person, JsonObject | undefined>();
  for (const one of people) before.set(one, await everythingOf(homeserver.send, one));
  expect([...before.values()].filter((found) => found !== undefined).length).toBeGreaterThan(
    people.length / 2,
  );
  homeserver = await homeserver.reopen();
  for (const [one, found] of before) expect(await everythingOf(homeserver.send, one)).toEqual(found);
}, 120_000);
