import type { Metrics } from "../observe/metrics.ts";
import type { PublicHandler } from "./public-handler.ts";

/** Answers `GET /metrics`, in Prometheus' text format. */
export function openMetricsHandler(metrics: Metrics): PublicHandler {
  return async (request) => {
    const wanted = request.method === "GET" && URL.parse(request.url)?.pathname === "/metrics";
    if (!wanted) return new Response("There is /metrics here, and nothing else.\n", { status: 404 });
    const { text, type } = await metrics.expose();
    return new Response(text, { headers: { "content-type": type } });
  };
}
