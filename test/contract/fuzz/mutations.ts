import fc from "fast-check";
import { isJsonObject, type JsonObject, type JsonValue } from "../../../src/matrix/json.ts";
import type { Description } from "../../../src/sw/endpoint.ts";
import type { Sent } from "../support/homeserver.ts";
import { methodOf, type Prepared, pathOf, type Scenario } from "../support/scenario.ts";
import { oddSegment, oddText, oddValue } from "./values.ts";

/** A request that was valid before something in it became odd. */
export type Mutant = (prepared: Prepared) => Sent;

/** Time that a request may wait: what would be a long wait must not become one. */
const waits = new Set(["timeout", "timeout_ms"]);

/** What can be odd about a request of a scenario. The ids of its preparation are filled in when it is sent. */
export function mutants(
  scenario: Scenario,
  description: Description,
  sample: Prepared,
): fc.Arbitrary<Mutant> {
  const kinds: fc.Arbitrary<Mutant>[] = [oddQuery(scenario, description, sample)];
  const names = [...pathOf(scenario).matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  if (names.length > 0) kinds.push(oddPath(scenario, names));
  if (description.body !== undefined)
    kinds.push(oddBody(scenario, description, sample), ...wholeBodies(scenario));
  return fc.oneof(...kinds);
}

function sent(
  scenario: Scenario,
  { as, params = {}, query = {}, headers, body }: Prepared,
  change: { segment?: [name: string, text: string]; query?: [string, string][]; body?: BodyInit } = {},
): Sent {
  const path = pathOf(scenario).replace(/\{(\w+)\}/g, (_, name: string) =>
    change.segment?.[0] === name ? change.segment[1] : encodeURIComponent(params[name] ?? ""),
  );
  const search = new URLSearchParams(
    [...Object.entries(query), ...(change.query ?? [])].filter(
      ([name], index, all) =>
        index >= Object.keys(query).length ||
        !all.slice(Object.keys(query).length).some(([other]) => other === name),
    ),
  ).toString();
  return {
    method: methodOf(scenario),
    path: search === "" ? path : `${path}?${search}`,
    token: as?.token,
    headers,
    body: change.body ?? body,
  };
}

const oddPath = (scenario: Scenario, names: string[]): fc.Arbitrary<Mutant> =>
  fc
    .tuple(fc.constantFrom(...names), oddSegment)
    .map((segment) => (prepared) => sent(scenario, prepared, { segment }));

function oddQuery(scenario: Scenario, { query }: Description, sample: Prepared): fc.Arbitrary<Mutant> {
  const described = query !== undefined && "entries" in query ? Object.keys(query.entries as object) : [];
  const names = [...new Set([...described, ...Object.keys(sample.query ?? {}), "other"])];
  const one = fc
    .tuple(fc.constantFrom(...names), oddText)
    .filter(([name, text]) => !waits.has(name) || !/^[\d.]/.test(text));
  return fc
    .array(one, { minLength: 1, maxLength: 2 })
    .map((odd) => (prepared) => sent(scenario, prepared, { query: odd }));
}

/** Bodies that are odd as a whole, whatever form the endpoint takes. */
const wholeBodies = (scenario: Scenario): fc.Arbitrary<Mutant>[] => [
  oddValue.map((value) => (prepared) => sent(scenario, prepared, { body: JSON.stringify(value) })),
  fc
    .oneof(
      fc.uint8Array({ maxLength: 100 }).map((bytes): BodyInit => new Uint8Array(bytes)),
      fc.constantFrom<BodyInit>(
        '{"a":1,"a":2}',
        '{"a":1e999}',
        "{'a':1}",
        "\ufeff{}",
        "a=%",
        "=",
        "a[]=1&a[]=2",
      ),
      fc.constant<BodyInit>(`{"a":"${"x".repeat(1_100_000)}"}`),
    )
    .map((body) => (prepared) => sent(scenario, prepared, { body })),
];

/** What is done to one member of the body, somewhere in it. */
type Step = { pick: number[]; change: "replace" | "remove" | "add"; name: string; value: JsonValue };

const step: fc.Arbitrary<Step> = fc.record({
  pick: fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }),
  change: fc.constantFrom("replace", "replace", "remove", "add"),
  name: oddText,
  value: oddValue,
});

function oddBody(scenario: Scenario, { body: schema }: Description, sample: Prepared): fc.Arbitrary<Mutant> {
  const { body } = sample;
  if (body !== undefined && !isPlain(body)) return wholeBodies(scenario)[1]!;
  const described = schema !== undefined && "entries" in schema ? Object.keys(schema.entries as object) : [];
  const changed = (of: JsonObject, { pick, ...rest }: Step) => mutate(of, pick, rest) as JsonObject;
  const anywhere = step.map(
    (odd): Mutant =>
      (prepared) => {
        const text = JSON.stringify(changed(bodyOf(prepared), odd));
        return sent(scenario, prepared, { body: text });
      },
  );
  if (described.length === 0) return anywhere;
  // Also members that the scenario does not send.
  const member = fc.tuple(fc.constantFrom(...described), oddValue).map(
    ([name, value]): Mutant =>
      (prepared) => {
        const text = JSON.stringify({ ...bodyOf(prepared), [name]: value });
        return sent(scenario, prepared, { body: text });
      },
  );
  return fc.oneof(anywhere, member);
}

const isPlain = (body: JsonObject | BodyInit): body is JsonObject =>
  typeof body === "object" && Object.getPrototypeOf(body) === Object.prototype;
const bodyOf = ({ body }: Prepared): JsonObject => (body !== undefined && isPlain(body) ? body : {});

/** The value with one member of it changed; `pick` says by its numbers which of the members, level by level. */
function mutate(
  value: JsonValue | undefined,
  pick: number[],
  step: Omit<Step, "pick">,
): JsonValue | undefined {
  const [index, ...deeper] = pick;
  if (Array.isArray(value)) {
    const at = value.length === 0 ? 0 : index! % value.length;
    if (deeper.length > 0 && value.length > 0)
      return value.map((one, i) => (i === at ? mutate(one, deeper, step)! : one));
    if (step.change === "remove") return value.filter((_, i) => i !== at);
    return step.change === "add"
      ? [...value, step.value]
      : value.map((one, i) => (i === at ? step.value : one));
  }
  if (!isJsonObject(value)) return step.value;
  const entries = Object.entries(value);
  const at = entries.length === 0 ? 0 : index! % entries.length;
  if (deeper.length > 0 && entries.length > 0) {
    return Object.fromEntries(
      entries.map(([name, one], i) => [name, i === at ? mutate(one, deeper, step) : one]),
    );
  }
  if (step.change === "remove") return Object.fromEntries(entries.filter((_, i) => i !== at));
  if (step.change === "add") return Object.fromEntries([...entries, [step.name, step.value]]);
  return Object.fromEntries(entries.map(([name, one], i) => [name, i === at ? step.value : one]));
}
