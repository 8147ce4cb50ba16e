import type { EgressAnswer } from "../../../src/worker-roomserver/egress/api.ts";

/** What a server outside answers. @param url - where it comes from */
export function outsideAnswer(
  body: BodyInit | null,
  {
    status = 200,
    type,
    url = "https://outside.example/",
  }: { status?: number; type?: string; url?: string } = {},
): EgressAnswer {
  const headers: Record<string, string> = type === undefined ? {} : { "Content-Type": type };
  const response = new Response(body, { status, headers });
  return { status, headers: Object.fromEntries(response.headers), url, body: response.body };
}

export const outsideJson = (body: unknown, status = 200): EgressAnswer =>
  outsideAnswer(JSON.stringify(body), { status, type: "application/json" });
