import { bytesAnswer, jsonAnswer } from "../../../../src/link/answers.ts";
import type { LinkRequest, LinkResponse } from "../../../../src/link/api.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import { encodeUtf8 } from "../../../../src/matrix/utf8.ts";
import { type NamedServer, namedServer } from "./named-server.ts";
import type { TestNetwork } from "./network.ts";

export type Script = (request: LinkRequest) => LinkResponse | Promise<LinkResponse>;

/** Another server that answers what a test tells it to. */
export type ScriptedServer = NamedServer & {
  /** What it was asked: path and query. */
  asked: string[];
  answer(script: Script): void;
};

export async function scriptedServer(network: TestNetwork): Promise<ScriptedServer> {
  const server = await namedServer();
  const asked: string[] = [];
  let script: Script = () => matrixError(404, "M_UNRECOGNIZED");
  network.add(server.serverName, async (request) => {
    asked.push(request.target);
    return script(request);
  });
  return {
    ...server,
    asked,
    answer: (next) => {
      script = next;
    },
  };
}

export const told = (json: JsonObject) => jsonAnswer(json);

export const matrixError = (status: number, errcode: string) =>
  jsonAnswer({ errcode, error: "as the test says" }, status);

export const raw = (text: string | Uint8Array, headers: [string, string][], status = 200) =>
  bytesAnswer(typeof text === "string" ? encodeUtf8(text) : text, status, headers);
