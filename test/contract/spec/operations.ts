import { readFileSync } from "node:fs";
import { isJsonObject, type JsonObject } from "../../../src/matrix/json.ts";
import { type Address, Documents, within } from "./documents.ts";
import { specFolder } from "./location.ts";
import { type Member, Schemas } from "./schemas.ts";

/** A row of operations.json: the README beside it says what each member means. */
export type Row = {
  api: string;
  method: string;
  path: string;
  operationId: string;
  file: string;
  deprecated: boolean;
  auth: "required" | "optional" | "none";
};

export type Parameter = Member & { in: "query" | "path" | "header" };

/** An operation of the client-server API, with what its OpenAPI file says of it. */
export type Operation = Row & {
  route: string;
  parameters: Parameter[];
  /** Of a body that is JSON. */
  requestSchema: Address | undefined;
  /** Of a successful answer that is JSON. */
  responseSchema: Address | undefined;
};

export type Spec = { operations: readonly Operation[]; schemas: Schemas };

/** @returns undefined where the data of the specification is not there */
export function loadSpec(): Spec | undefined {
  const folder = specFolder();
  if (folder === undefined) return undefined;
  const documents = new Documents(folder);
  const schemas = new Schemas(documents);
  const rows = JSON.parse(readFileSync(`${folder}/operations.json`, "utf8")) as Row[];
  const operations = rows
    .filter(({ api }) => api === "client-server")
    .map((row) => described(row, documents, schemas));
  return { operations, schemas };
}

function described(row: Row, documents: Documents, schemas: Schemas): Operation {
  const address = addressOf(row, documents);
  const operation = documents.at(address);
  const parameters = Array.isArray(operation.parameters) ? operation.parameters : [];
  return {
    ...row,
    route: `${row.method} ${row.path}`,
    parameters: parameters.map((_, index) => {
      const [parameter, at] = documents.resolve(within(address, "parameters", String(index)));
      return {
        name: parameter.name as string,
        in: parameter.in as Parameter["in"],
        required: parameter.required === true,
        ...schemas.typesOf(within(at, "schema")),
      };
    }),
    requestSchema: jsonSchemaOf(documents, operation, address, ["requestBody"]),
    responseSchema: jsonSchemaOf(documents, operation, address, ["responses", "200"]),
  };
}

/** Found by its id: two pairs of operations share a path, of which one has a space at its end. */
function addressOf({ file, operationId }: Row, documents: Documents): Address {
  const paths = within(documents.address(file), "paths");
  for (const [path, methods] of Object.entries(documents.at(paths))) {
    for (const [method, operation] of Object.entries(isJsonObject(methods) ? methods : {})) {
      if (isJsonObject(operation) && operation.operationId === operationId)
        return within(paths, path, method);
    }
  }
  throw new Error(`${file} has no ${operationId}`);
}

function jsonSchemaOf(
  documents: Documents,
  operation: JsonObject,
  address: Address,
  steps: [string, ...string[]],
): Address | undefined {
  let place = operation;
  let at = address;
  for (const step of [...steps, "content", "application/json", "schema"]) {
    if (!isJsonObject(place[step])) return undefined;
    [place, at] = documents.resolve(within(at, step));
  }
  return at;
}
