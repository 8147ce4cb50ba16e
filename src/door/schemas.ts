import * as v from "valibot";
import { isJsonObject, type JsonObject } from "../matrix/json.ts";
import { parseJsonText } from "../matrix/json-text.ts";

/** Any JSON object, handed on as it is. Valibot's own record and loose object drop keys like `constructor`. */
export const jsonObject = v.custom<JsonObject>(isJsonObject, "should be an object");

/** An object with these members, and no list: Valibot's own object takes lists for objects. */
export const objectOf = <E extends v.ObjectEntries>(entries: E) =>
  v.pipe(v.unknown(), v.check(isJsonObject, "should be an object"), v.object(entries));

/** The answer `{}`. */
export const emptyAnswer = v.strictObject({});
/** The answer of everything that makes an event. */
export const eventIdAnswer = v.object({ event_id: v.string() });
/** The answer of everything that makes or enters a room. */
export const roomIdAnswer = v.object({ room_id: v.string() });
/** An answer that the room server has already written as JSON. */
export const writtenAnswer = v.unknown();

export const roomParams = v.object({ roomId: v.string() });
/** The body of what may come with a reason or with nothing. */
export const reasonBody = v.object({ reason: v.optional(v.string()) });

/** A query parameter that is `true` or `false`. */
export const booleanParameter = v.pipe(
  v.picklist(["true", "false"]),
  v.transform((text) => text === "true"),
);

/** A query parameter for a number of things: `fallback` where it is absent, never more than `most`. */
export const limitParameter = (fallback: number, most: number) =>
  v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,15}$/, "should be an integer of 0 or more"),
      v.transform((text) => Math.min(Number(text), most)),
    ),
    String(fallback),
  );

/** A query parameter for a number of things, of which the component says what its absence means. */
export const countParameter = v.optional(
  v.pipe(v.string(), v.regex(/^\d{1,15}$/, "should be an integer of 0 or more"), v.transform(Number)),
);

/** `ts`, with which application services say when something was really sent: milliseconds since 1970. */
export const timestampParameter = v.optional(
  v.pipe(v.string(), v.regex(/^\d{1,15}$/, "should be an integer of 0 or more"), v.transform(Number)),
);

/** A query parameter that is a JSON object, `{}` where it is absent. */
export const jsonParameter = v.optional(
  v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }): JsonObject => {
      const value = parsed(dataset.value);
      if (isJsonObject(value)) return value;
      addIssue({ message: "should be a JSON object" });
      return NEVER;
    }),
  ),
  "{}",
);

/** Undefined for what is not JSON: which of the ways in which it is not tells a client nothing here. */
function parsed(text: string): unknown {
  try {
    return parseJsonText(text, { integersOnly: false });
  } catch {
    return undefined;
  }
}

/**
 * A JSON object whose members are all of one shape, whatever their names: Valibot's own record drops keys like
 * `constructor`. What is wrong with a member is complained of by its path.
 * @param refuse - what is wrong with the names, as a phrase that begins with "should"
 */
export const jsonRecord = <S extends v.GenericSchema>(
  schema: S,
  refuse: (names: string[]) => string | undefined = () => undefined,
) =>
  v.pipe(
    jsonObject,
    v.rawTransform(({ dataset, addIssue, NEVER }): { [name: string]: v.InferOutput<S> } => {
      const entries = Object.entries(dataset.value);
      const wrong = refuse(entries.map(([name]) => name));
      if (wrong !== undefined) {
        addIssue({ message: wrong });
        return NEVER;
      }
      const members: [string, v.InferOutput<S>][] = [];
      for (const [name, value] of entries) {
        const result = v.safeParse(schema, value, { abortEarly: true });
        if (!result.success) {
          const [{ path = [], message, kind, expected, received }] = result.issues;
          const place = { type: "object", origin: "value", input: dataset.value, key: name, value } as const;
          addIssue({
            message,
            path: [place, ...path],
            // Of what has another type it is said which it should have, as of any member.
            ...(kind === "schema" && { expected: expected ?? undefined, received }),
          });
          return NEVER;
        }
        members.push([name, result.output]);
      }
      return Object.fromEntries(members);
    }),
  );
