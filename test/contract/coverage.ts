import { notServedYet } from "./not-served-yet.ts";
import { scenarios } from "./scenarios/index.ts";
import type { Operation } from "./spec/operations.ts";

/** How an operation is answered: as meant, with the spec's error for want of a service, or not at all yet. */
type State = "served" | "refused" | "missing";

const stateOf = ({ operationId }: Operation): State => {
  if (operationId in notServedYet) return "missing";
  return usual(operationId)?.expected?.errcode === undefined ? "served" : "refused";
};

const usual = (operationId: string) => scenarios.find(({ operation }) => operation === operationId);

function answerOf(operation: Operation): string {
  const { operationId } = operation;
  const scenario = usual(operationId);
  switch (stateOf(operation)) {
    case "missing":
      return `not yet: ${notServedYet[operationId]}`;
    case "refused":
      return `${scenario?.expected?.status} \`${scenario?.expected?.errcode}\``;
    case "served":
      return scenario?.departure === undefined ? "200" : `200; ${scenario.departure}`;
  }
}

/** The modules are the spec's own files. */
const moduleOf = ({ file }: Operation) => file.replace(/^.*\/|\.yaml$/g, "").replaceAll(/[_-]/g, " ");

function byModule(operations: readonly Operation[]): [name: string, operations: Operation[]][] {
  const modules = new Map<string, Operation[]>();
  for (const operation of operations) {
    const name = moduleOf(operation);
    modules.set(name, [...(modules.get(name) ?? []), operation]);
  }
  return [...modules].sort(([a], [b]) => (a < b ? -1 : 1));
}

const count = (operations: readonly Operation[], wanted: State) =>
  operations.filter((operation) => stateOf(operation) === wanted).length;

/** One line of figures for each module, and one for all. */
export function coverageInShort(operations: readonly Operation[]): string {
  const line = (name: string, of: readonly Operation[]) => {
    const figures = [of.length, count(of, "served"), count(of, "refused"), count(of, "missing")];
    return `${name.padEnd(30)}${figures.map((figure) => String(figure).padStart(11)).join("")}`;
  };
  const heads = ["operations", "served", "refused", "not yet"];
  return [
    `${"module".padEnd(30)}${heads.map((head) => head.padStart(11)).join("")}`,
    ...byModule(operations).map(([name, of]) => line(name, of)),
    line("all", operations),
  ].join("\n");
}

/** The whole table as Markdown, for docs/api-coverage.md. */
export function coverageDocument(operations: readonly Operation[]): string {
  const rows = byModule(operations).flatMap(([name, of]) => [
    `\n## ${name[0]!.toUpperCase()}${name.slice(1)}\n`,
    "| operation | request | access token | answer |",
    "|---|---|---|---|",
    ...of.map((operation) => {
      const { operationId, route, auth, deprecated } = operation;
      const name = deprecated ? `${operationId} (deprecated)` : operationId;
      return `| ${name} | \`${route}\` | ${auth} | ${answerOf(operation)} |`;
    }),
  ]);
  return `# What of the client-server API is served

Written by \`npm run api-coverage\`, from the list of operations of the Matrix specification v1.19 and the scenarios of
the contract test (test/contract): every operation here that is answered is used in a test, as it is meant to be and in
ways that must be refused.

Of ${operations.length} operations ${count(operations, "served")} are served. ${count(operations, "refused")} need what this homeserver does not have, and answer with the error
that the specification has for that. ${count(operations, "missing")} are not served yet.
${rows.join("\n")}
`;
}
