import type { GenericSchema } from "valibot";
import { consoleRequests } from "../console-requests.ts";
import type { Description, Endpoint } from "../endpoint.ts";
import { nodeStatusEndpoints } from "../node-status.ts";
import { RequestStatistics, requestStatisticsEndpoint } from "../request-statistics.ts";
import { isOptional, type JsonSchema, jsonSchema } from "./json-schema.ts";

/** What the service worker answers by itself has its words here, where they cost a page that opens nothing. */
const ofServiceWorker: Record<string, Pick<Description, "operationId" | "summary">> = {
  "GET /_hearth/v1/health": { operationId: "getHealth", summary: "Whether the service worker is there." },
  "GET /_hearth/v1/info": {
    operationId: "getInfo",
    summary: "What this homeserver is; 503 while no tab leads.",
  },
  "GET /_hearth/v1/openapi.json": { operationId: "getOpenApi", summary: "This document." },
  "GET /_hearth/v1/statistics/requests": {
    operationId: "getRequestStatistics",
    summary:
      "Requests that this service worker has answered since it was started, by the class of their rate limit. Browsers stop service workers at will. Times are too long by a factor of √2 at most, and those of `none` have long polls among them.",
  },
};

const error = {
  description: "What stands in the way",
  content: {
    "application/json": {
      schema: {
        type: "object",
        properties: { errcode: { type: "string" }, error: { type: "string" } },
        required: ["errcode", "error"],
      },
    },
  },
};

/** The OpenAPI 3.1 document of the API for the owner: made of the endpoints' own descriptions, as the door's checks are. */
export function openApiDocument(consoleEndpoints: readonly Endpoint[]): JsonSchema {
  const others = [
    ...nodeStatusEndpoints,
    ...consoleRequests,
    requestStatisticsEndpoint(new RequestStatistics(0)),
  ].flatMap(({ description }) => {
    const words = ofServiceWorker[`${description.method} ${description.path}`];
    return words === undefined ? [] : { ...description, ...words };
  });
  const paths: Record<string, JsonSchema> = {};
  for (const description of [...others, ...consoleEndpoints.map(({ description }) => description)]) {
    const { method, path } = description;
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation(description) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Hearth: administration",
      version: "1",
      description: "For administrators of a homeserver, with the access token of an account that is one.",
    },
    paths,
    components: {
      responses: { error },
      securitySchemes: { accessToken: { type: "http", scheme: "bearer" } },
    },
  };
}

function operation(description: Description): JsonSchema {
  const { operationId, summary, auth, params, query, path, response } = description;
  return {
    operationId,
    summary,
    tags: [path.split("/")[3]],
    security: auth === "none" ? [] : [{ accessToken: [] }],
    parameters: [...parameters("path", params), ...parameters("query", query)],
    ...requestBody(description),
    responses: {
      200: { description: "It is so", content: { "application/json": { schema: jsonSchema(response) } } },
      default: { $ref: "#/components/responses/error" },
    },
  };
}

function parameters(where: "path" | "query", schema: GenericSchema | undefined): JsonSchema[] {
  const { entries = {} } = (schema ?? {}) as { entries?: Record<string, GenericSchema> };
  return Object.entries(entries).map(([name, entry]) => {
    const { description, ...rest } = jsonSchema(entry);
    return {
      ...{ name, in: where, required: where === "path" || !isOptional(entry) },
      ...(description !== undefined && { description }),
      schema: rest,
    };
  });
}

function requestBody({ body, bodyFormat, optionalBody }: Description): JsonSchema {
  if (body === undefined) return {};
  const content =
    bodyFormat === "bytes"
      ? { "application/yaml": { schema: { type: "string" } } }
      : { "application/json": { schema: jsonSchema(body) } };
  return { requestBody: { required: optionalBody !== true, content } };
}
