import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { createInterface } from "node:readline";
import { denoFlags, findDeno } from "../../../scripts/support/deno.mjs";
import { distFolder } from "../../../scripts/support/dist.mjs";

export type Answer = { status: number; text: string };

/** The real relay, which serves the built page as `npm start` has it. */
export type RelayProcess = {
  port: number;
  /** As the page's address has it, with a slash at its end. */
  url: string;
  /** At once, as a power cut would. */
  kill(): Promise<void>;
  /** Asks as another server or client does that has found `host` to be here. */
  ask(
    host: string,
    method: string,
    path: string,
    options?: { headers?: object; body?: string },
  ): Promise<Answer>;
};

/**
 * @param data - the folder of what it keeps: one that is started again has what the one before has stored
 * @param more - other flags of its own
 * @param page - the folder of the page that it serves
 */
export async function startRelay(
  data: string,
  port = 0,
  more: string[] = [],
  page = distFolder,
): Promise<RelayProcess> {
  const listen = ["--data", data, "--listen", `127.0.0.1:${port}`, "--page", page];
  const args = [...listen, "--log-level", "warn", ...more];
  const child = spawn(findDeno(), [...denoFlags, "src/relay/main.ts", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = once(child, "exit");
  let url: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    url = /ready at (\S+)/.exec(line)?.[1];
    if (url !== undefined) break;
  }
  if (url === undefined) throw new Error("the relay did not start: its message is above");
  const at = Number(new URL(url).port);
  return {
    port: at,
    url,
    async kill() {
      child.kill("SIGKILL");
      await exit;
    },
    ask: (host, method, path, { headers = {}, body } = {}) =>
      new Promise((resolve, reject) => {
        const asked = request(
          { host: "127.0.0.1", port: at, method, path, headers: { ...headers, host } },
          async (answer) => {
            answer.setEncoding("utf8");
            resolve({ status: answer.statusCode ?? 0, text: (await answer.toArray()).join("") });
          },
        );
        asked.on("error", reject);
        asked.end(body);
      }),
  };
}
