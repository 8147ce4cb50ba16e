import { type Egress, type EgressFailure, isFailure } from "../egress/api.ts";
import { bytesOf } from "../egress/body.ts";
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
  const { url, ...asked } = request;
  const answer = await egress.fetch(
    { kind: "app-service", url },
    {
      ...asked,
      headers: {
        Authorization: `Bearer ${hsToken}`,
        ...(request.body !== undefined && { "Content-Type": "application/json" }),
      },
      maxBytes: MAX_ANSWER,
    },
  );
  if (isFailure(answer)) throw noAnswer(answer);
  const bytes = await bytesOf(answer);
  if (isFailure(bytes)) throw noAnswer(bytes);
  return { status: answer.status, body: new TextDecoder().decode(bytes) };
}

const noAnswer = ({ failure, why }: EgressFailure) =>
  new NoAnswer(failure === "timeout" ? "timeout" : "connection", why);
