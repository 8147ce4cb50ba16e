import Ajv2020, { type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { isJsonObject, type JsonValue } from "../../../src/matrix/json.ts";
import { type Address, type Documents, within } from "./documents.ts";

/** The formats of Matrix's own whose first letter tells them apart; of the others anything will do. */
const sigils = new Map([
  ["mx-user-id", "@"],
  ["mx-room-id", "!"],
  ["mx-event-id", "$"],
  ["mx-room-alias", "#"],
  ["mx-mxc-uri", "mxc://"],
]);

/** A member that a schema describes: the types of JSON that it may have, all of them where nothing is said. */
export type Member = {
  name: string;
  required: boolean;
  types: readonly string[] | undefined;
  closed: boolean;
};

/** Holds values to the specification's schemas. OpenAPI 3.1 has those of JSON Schema 2020-12. */
export class Schemas {
  readonly #documents: Documents;
  readonly #ajv: Ajv2020;
  readonly #compiled = new Map<Address, ValidateFunction>();

  constructor(documents: Documents) {
    this.#documents = documents;
    this.#ajv = new Ajv2020({ strict: false, allErrors: true, logger: false });
    // Its types are those of a CommonJS module, whose default export is one level down.
    (addFormats as unknown as (ajv: Ajv2020) => void)(this.#ajv);
    for (const format of Object.keys(
      documents.file(documents.address("data/string-formats.yaml").slice(0, -1)),
    )) {
      this.#ajv.addFormat(format, (text: string) => text.startsWith(sigils.get(format) ?? ""));
    }
  }

  /** @returns what is wrong with a value, one sentence each; nothing where it fits */
  complaints(address: Address, value: unknown): string[] {
    let validate = this.#compiled.get(address);
    if (validate === undefined) {
      for (const file of this.#documents.reachable(address.split("#")[0]!)) {
        if (this.#ajv.getSchema(file) === undefined) this.#ajv.addSchema(this.#documents.file(file), file);
      }
      validate = this.#ajv.compile({ $ref: address });
      this.#compiled.set(address, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }

  /** The members that a schema of an object names, also those of the schemas that it is made of. */
  members(address: Address): Member[] {
    const [schema, at] = this.#documents.resolve(address);
    const required = new Set(Array.isArray(schema.required) ? schema.required : []);
    const own = Object.keys(isJsonObject(schema.properties) ? schema.properties : {}).map((name): Member => {
      const types = this.typesOf(within(at, "properties", name));
      return { name, required: required.has(name), ...types };
    });
    const parts = Array.isArray(schema.allOf) ? schema.allOf : [];
    return [...own, ...parts.flatMap((_, index) => this.members(within(at, "allOf", String(index))))];
  }

  /** @returns `closed`: whether only some values of its types are meant */
  typesOf(address: Address): Pick<Member, "types" | "closed"> {
    const [schema, at] = this.#documents.resolve(address);
    const closed = schema.enum !== undefined;
    if (typeof schema.type === "string") return { types: [schema.type], closed };
    if (Array.isArray(schema.type)) return { types: schema.type as string[], closed };
    const parts = Array.isArray(schema.allOf) ? schema.allOf.map((_, index) => String(index)) : [];
    const found = parts.map((index) => this.typesOf(within(at, "allOf", index)));
    return found.find(({ types }) => types !== undefined) ?? { types: undefined, closed };
  }
}

/** Values that a member of the given types cannot have. */
export function valuesOfOtherTypes({ types, closed }: Pick<Member, "types" | "closed">): JsonValue[] {
  if (types === undefined) return [];
  const one = new Map<string, JsonValue>([
    ["number", 17],
    ["string", "wrong"],
    ["boolean", true],
    ["array", [["wrong"]]],
    ["object", { wrong: 17 }],
  ]);
  const allowed = new Set(types.map((type) => (type === "integer" ? "number" : type)));
  const others = [...one].filter(([type]) => !allowed.has(type)).map(([, value]) => value);
  return closed && allowed.has("string") ? [...others, "no such value"] : others;
}
