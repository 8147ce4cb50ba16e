import type { GenericSchema } from "valibot";
import { jsonObject } from "../../door/schemas.ts";

/** A schema of JSON Schema 2020-12. */
export type JsonSchema = { [keyword: string]: unknown };

/** What of a schema is looked at: Valibot's schemas and actions are plain objects. */
type Part = {
  kind: "schema" | "validation" | "transformation" | "metadata";
  type: string;
  pipe?: readonly Part[];
  wrapped?: Part;
  default?: unknown;
  entries?: Record<string, Part>;
  item?: Part;
  value?: Part;
  key?: Part;
  options?: readonly (Part | string | number)[];
  literal?: unknown;
  requirement?: unknown;
  description?: string;
  metadata?: { schema?: JsonSchema };
};

/**
 * Says in JSON Schema what a schema of Valibot takes. It knows those kinds that are in use, and fails on others, so that
 * nothing is described as something that it is not.
 * @throws Error for a kind that it does not know
 */
export function jsonSchema(schema: GenericSchema): JsonSchema {
  return ofPart(schema as unknown as Part);
}

/** Whether a member of an object may be left out. */
export function isOptional(schema: GenericSchema): boolean {
  const { type, pipe } = schema as unknown as Part;
  return type === "optional" || pipe?.[0]?.type === "optional";
}

function ofPart(part: Part): JsonSchema {
  if (part.pipe === undefined) return ofBase(part);
  const [base, ...actions] = part.pipe;
  return actions.reduce<JsonSchema>(withAction, ofPart(base!));
}

function ofBase(part: Part): JsonSchema {
  if ((part as unknown) === jsonObject) return { type: "object" };
  switch (part.type) {
    case "string":
    case "number":
    case "boolean":
      return { type: part.type };
    case "unknown":
      return {};
    case "literal":
      return { const: part.literal };
    case "picklist":
      return { type: "string", enum: part.options };
    case "nullable":
      return { anyOf: [ofPart(part.wrapped!), { type: "null" }] };
    case "optional":
      // What has a default of its own is a number in a query, whose default here is its text.
      return { ...(part.default !== undefined && { default: part.default }), ...ofPart(part.wrapped!) };
    case "array":
      return { type: "array", items: ofPart(part.item!) };
    case "record":
      return { type: "object", additionalProperties: ofPart(part.value!) };
    case "object":
    case "loose_object":
      return ofObject(part);
    case "strict_object":
      return { ...ofObject(part), additionalProperties: false };
    default:
      throw new Error(`there is no JSON Schema here for Valibot's ${part.type}`);
  }
}

function ofObject({ entries = {} }: Part): JsonSchema {
  const members = Object.entries(entries);
  const required = members.filter(([, member]) => !isOptional(member as never)).map(([name]) => name);
  return {
    type: "object",
    properties: Object.fromEntries(members.map(([name, member]) => [name, ofPart(member)])),
    ...(required.length > 0 && { required }),
  };
}

function withAction(schema: JsonSchema, action: Part): JsonSchema {
  switch (action.type) {
    case "metadata":
      return { ...action.metadata?.schema }; // whoever gives one knows better than the text that it stands in
    case "description":
      return { ...schema, description: action.description };
    case "regex":
      return { ...schema, pattern: (action.requirement as RegExp).source };
    case "integer":
      return { ...schema, type: "integer" };
    case "min_value":
      return { ...schema, minimum: action.requirement };
    case "max_value":
      return { ...schema, maximum: action.requirement };
    case "transform":
      return schema; // what goes in is described, and not what becomes of it
    default:
      throw new Error(`there is no JSON Schema here for Valibot's ${action.type}`);
  }
}
