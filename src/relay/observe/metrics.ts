import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** What Prometheus sees. Labels have few values each: nothing that a stranger chooses becomes one. */
export type Metrics = {
  /** A request over HTTP was answered. @param part - who answered: `relay`, `link`, `ingress`, `page` */
  answered(part: string, status: number, seconds: number): void;
  egress(purpose: string, outcome: string): void;
  wakeUp(outcome: string): void;
  /** A number that is read when it is asked for. @param name - follows `hearth_relay_` */
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
  /** The text format, with its media type. */
  expose(): Promise<{ text: string; type: string }>;
};

export function openMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const answers = new Histogram({
    name: "hearth_relay_http_seconds",
    help: "Time until the head of an answer, by who answered and the status's first digit",
    labelNames: ["part", "status"] as const,
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 30],
    registers,
  });
  const egress = new Counter({
    name: "hearth_relay_egress_total",
    help: "Requests of nodes to other servers, by purpose and how they went",
    labelNames: ["purpose", "outcome"] as const,
    registers,
  });
  const wakeUps = new Counter({
    name: "hearth_relay_wake_ups_total",
    help: "Web Push messages to nodes that are away, by how they went",
    labelNames: ["outcome"] as const,
    registers,
  });
  const gauge: Metrics["gauge"] = (name, help, read) => {
    new Gauge({
      name: `hearth_relay_${name}`,
      help,
      registers,
      async collect() {
        this.set(await read());
      },
    });
  };
  gauge("resident_memory_bytes", "Memory of the process", () => Deno.memoryUsage().rss);
  return {
    answered: (part, status, seconds) =>
      answers.observe({ part, status: `${Math.floor(status / 100)}xx` }, seconds),
    egress: (purpose, outcome) => egress.inc({ purpose, outcome }),
    wakeUp: (outcome) => wakeUps.inc({ outcome }),
    gauge,
    expose: async () => ({ text: await registry.metrics(), type: registry.contentType }),
  };
}
