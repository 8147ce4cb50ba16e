import type { Egress } from "../egress/api.ts";
import { type AppServiceAnswer, type AppServiceCall, type AppServiceClient, NoAnswer } from "./client.ts";
import { isUnknownRoute, legacyRoute } from "./legacy-routes.ts";

/** Answers are short, or lists of what was found: past this something is wrong. */
const MAX_ANSWER = 1024 * 1024;

/** Services by HTTP, those too that know only the routes and the authorisation of before version 1. @throws NoAnswer */
export function clientOf(egress: Egress): AppServiceClient {
  return async ({ url, hsToken }, call) => {
    const ask = ({ method, path, body, timeout }: AppServiceCall) =>
      answered(egress, hsToken, { method, url: url + path, timeout, ...(body !== undefined && { body }) });
    const answer = await ask(call);
    const path = isUnknownRoute(answer) ? legacyRoute(call.path, hsToken) : undefined;
    return path === undefined ? answer : ask({ ...call, path });
  };
}

async function answered(
  egress: Egress,
  hsToken: string,
  request: { method: AppServiceCall["method"]; url: string; body?: string; timeout: number },
): Promise<AppServiceAnswer> {
  try {
    const { status, body } = await egress({
      purpose: "app-service",
      ...request,
      headers: {
        Authorization: `Bearer ${hsToken}`,
        ...(request.body !== undefined && { "Content-Type": "application/json" }),
      },
      maxBytes: MAX_ANSWER,
      hosts: "any",
    });
    return { status, body: new TextDecoder().decode(body) };
  } catch (error) {
    const isLate = error instanceof Error && error.name === "TimeoutError";
    throw new NoAnswer(isLate ? "timeout" : "connection", String(error));
  }
}
