import * as v from "valibot";

/** How what is only looked at, and what is changed, is described. */
export const reads = { method: "GET", auth: "admin", limit: "read" } as const;
/** Whatever an administrator changes may end somebody's tokens. */
export const writes = { auth: "admin", limit: "write", revokes: true } as const;

/** What stands in a query is text: this says to the API's description what is meant by it. */
const meant = <T>(schema: { type: string; [keyword: string]: unknown }) =>
  v.metadata<T, { schema: object }>({ schema });

const integer = v.regex(/^\d{1,15}$/, "should be an integer of 0 or more");

/** How many things a page has: `fallback` where it is absent, never more than `most`. */
export const limitOf = (fallback: number, most: number) =>
  v.optional(
    v.pipe(
      v.string(),
      integer,
      v.transform((text) => Math.min(Number(text), most)),
      meant({ type: "integer", minimum: 0, maximum: most, default: fallback }),
    ),
    String(fallback),
  );

/** A number of 0 or more. */
export const numberOf = (fallback: number) =>
  v.optional(
    v.pipe(
      v.string(),
      integer,
      v.transform(Number),
      meant({ type: "integer", minimum: 0, default: fallback }),
    ),
    String(fallback),
  );

/** `true` or `false`; absent: either. */
export const flagOf = v.optional(
  v.pipe(
    v.picklist(["true", "false"]),
    v.transform((text) => text === "true"),
    meant({ type: "boolean" }),
  ),
);

/** `next_batch` of the page before. */
export const from = v.optional(v.pipe(v.string(), v.description("`next_batch` of the page before")));
/** Absent on the last page. */
export const nextBatch = v.optional(
  v.pipe(v.string(), v.description("`from` of the next page; absent on the last one")),
);

export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
export const bytes = v.pipe(count, v.description("bytes"));
export const timestamp = v.pipe(v.number(), v.integer(), v.description("milliseconds since 1970"));

/** A number of 0 or more in a body. */
export const amount = v.pipe(
  v.number(),
  v.integer("should be an integer"),
  v.minValue(0, "should be 0 or more"),
  v.maxValue(Number.MAX_SAFE_INTEGER, "is too large"),
);
