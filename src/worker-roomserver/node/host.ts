import { MatrixError } from "../../matrix/errors.ts";
import type { UserId } from "../../matrix/identifiers.ts";
import type { Settings } from "../settings/api.ts";
import type { Node } from "./api.ts";
import type { Requester } from "./requester.ts";

/**
 * What the program wants that runs the page for its owner (scripts/headless). `serverName`: a name of the owner's own, in
 * place of the key; it counts at the first start, and must be the same at later ones. `settings` are made at each start.
 */
export type HostWishes = { serverName?: string; settings?: Partial<Settings> };

/** A request of the owner's API, `target` as in `/_hearth/v1/settings`. */
export type HostQuestion = { method: string; target: string; body?: string };
export type HostAnswer = { status: number; text: string };

/**
 * Answers that program by the owner's API: whoever holds the browser holds the homeserver, and needs no account on it.
 * Never fails.
 */
export async function answerHost(
  node: Pick<Node, "info" | "console">,
  { method, target, body }: HostQuestion,
): Promise<HostAnswer> {
  try {
    const { serverName } = await node.info();
    const request = { method, target, ...(body !== undefined && { body: new Blob([body]) }) };
    const asked = { ...request, requester: hostOf(serverName), request: crypto.randomUUID() };
    const answer = await node.console.answer(asked, asked.request);
    return { status: 200, text: new TextDecoder().decode(answer) };
  } catch (error) {
    if (error instanceof MatrixError) return { status: error.status, text: JSON.stringify(error) };
    return { status: 500, text: JSON.stringify({ errcode: "M_UNKNOWN", error: String(error) }) };
  }
}

/** Nobody can have such a name: what is made by the host is known by it. */
const hostOf = (serverName: string): Requester => ({
  userId: `@:${serverName}` as UserId,
  kind: "user",
  admin: true,
});
