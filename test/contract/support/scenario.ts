import type { JsonObject } from "../../../src/matrix/json.ts";
import type { Answer, Sent } from "./homeserver.ts";
import type { Person, World } from "./person.ts";

/** `METHOD /path` with `{name}` for each parameter, as the spec writes it. */
export type Route = `${"GET" | "PUT" | "POST" | "DELETE"} /${string}`;

/** A valid request, and what must be so after it has been answered. */
export type Prepared = {
  as?: Person;
  params?: Record<string, string>;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: JsonObject | BodyInit;
  /** Looks whether the answer says what was set up, and what was written is there. */
  check?: (answer: Answer) => unknown;
};

/** One operation, used as it is meant to be. */
export type Scenario = {
  route: Route;
  /** The `operationId`; absent for what the spec does not have, or does not list separately. */
  operation?: string;
  /** What sets this apart from other scenarios of the same operation. */
  title?: string;
  prepare: (world: World) => Promise<Prepared>;
  /**
   * What is answered instead of 200. With an errcode: the operation needs a service that this homeserver does not
   * have, and this is the spec's error for that.
   */
  expected?: { status: number; errcode?: string };
  /** Members of the body and parameters of the query that this homeserver does not look at, and so does not refuse. */
  ignores?: readonly string[];
  /** Members of the body that may have other values than those that the spec lists, as long as their type is right. */
  open?: readonly string[];
  /** It is used with and without an access token, as the spec's text lets it be, though its data says otherwise. */
  auth?: "optional";
  /** Why its answer does not fit the spec's schema, where that is meant. */
  departure?: string;
};

export const methodOf = ({ route }: Pick<Scenario, "route">) => route.slice(0, route.indexOf(" "));
export const pathOf = ({ route }: Pick<Scenario, "route">) => route.slice(route.indexOf(" ") + 1);
export const nameOf = ({ route, operation, title }: Scenario) =>
  [operation ?? route, title].filter((word) => word !== undefined).join(": ");

/** What two routes have in common when they are the same but for the names of their parameters. */
export const shapeOf = (route: string) => route.replace(/\{\w+\}/g, "{}");

/** The request of a scenario, as it goes to the door. */
export function sentOf(scenario: Scenario, { as, params = {}, query = {}, headers, body }: Prepared): Sent {
  const path = pathOf(scenario).replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined) throw new Error(`${nameOf(scenario)} has no ${name}`);
    return encodeURIComponent(value);
  });
  const search = new URLSearchParams(query).toString();
  return {
    method: methodOf(scenario),
    path: search === "" ? path : `${path}?${search}`,
    token: as?.token,
    headers,
    body,
  };
}
