import { request } from "node:http";
import { describe, expect, test } from "vitest";
import { ListenError } from "../../../src/relay/server/listen.ts";
import { listenForDendrite } from "../../../src/relay/server/listen-dendrite.ts";

const at = { host: "127.0.0.1", port: 0 };
const parts = { proxies: [], tls: undefined, report: (error: unknown) => expect.unreachable(String(error)) };

/** As a server that is written in Go asks: a GET, and a body with it. */
function get(port: number, path: string, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { host: "relay.example", "content-length": String(body.length) };
    const asked = request({ host: at.host, port, path, method: "GET", headers }, async (answer) => {
      answer.setEncoding("utf8");
      resolve({ status: answer.statusCode ?? 0, text: (await answer.toArray()).join("") });
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

describe("for servers that send a body with a GET", () => {
  test("it is heard, as are path, host and address", async () => {
    const listening = await listenForDendrite(at, {
      ...parts,
      answer: async ({ method, target, host, address, body }) =>
        Response.json({ method, target, host, address, body: await new Response(body).json() }),
    });
    const { status, text } = await get(listening.address.port, "/_matrix/a%2Fb?c", '{"entry_id":7}');
    expect({ status, ...JSON.parse(text) }).toEqual({
      status: 200,
      method: "GET",
      target: "/_matrix/a%2Fb?c",
      host: "relay.example",
      address: "127.0.0.1",
      body: { entry_id: 7 },
    });
    await listening.close(0);
    await expect(get(listening.address.port, "/", "")).rejects.toThrow();
  });

  test("what is for nobody is not found, and what goes wrong ends the connection", async () => {
    const faults: unknown[] = [];
    const listening = await listenForDendrite(at, {
      ...parts,
      answer: async ({ target }) => {
        if (target === "/fault") throw new Error("on purpose");
        return undefined;
      },
      report: (error) => faults.push(error),
    });
    const { port } = listening.address;
    expect((await get(port, "/", "")).status).toBe(404);
    await expect(get(port, "/fault", "")).rejects.toThrow();
    // A client may ask again on another connection.
    expect(faults).toContainEqual(new Error("on purpose"));
    await expect(
      listenForDendrite({ ...at, port }, { ...parts, answer: async () => undefined }),
    ).rejects.toThrow(ListenError);
    await listening.close(0);
  });
});
