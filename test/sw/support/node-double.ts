import { MatrixError } from "../../../src/matrix/errors.ts";
import type { UserId } from "../../../src/matrix/identifiers.ts";
import type { Node } from "../../../src/worker-roomserver/node/api.ts";
import type { Requester } from "../../../src/worker-roomserver/node/requester.ts";

export const alice: Requester = {
  userId: "@alice:example.org" as UserId,
  deviceId: "PHONE",
  kind: "user",
  admin: false,
};
export const guest: Requester = { ...alice, userId: "@1:example.org" as UserId, kind: "guest" };

const requesters = new Map([
  ["alice", alice],
  ["guest", guest],
]);

type Members = { [Component in keyof Node]?: Partial<Node[Component]> };

/** A node of the methods given. Tokens are `alice` and `guest`. Calling anything else is a failure of the test. */
export function nodeDouble(members: Members): Node {
  const users = {
    authenticate: async (token: string) => {
      const requester = requesters.get(token);
      if (requester === undefined) throw new MatrixError("M_UNKNOWN_TOKEN", 401, "No such token.");
      return { requester, expiresAt: null };
    },
    ...members.users,
  };
  const node: Record<string, unknown> = { ...members, users };
  const strict = (target: object, path: string): unknown =>
    new Proxy(target, {
      get: (_, name) => {
        const value: unknown = Reflect.get(target, name);
        if (value === undefined) throw new Error(`${path}.${String(name)} was not expected to be called`);
        return typeof value === "object" && value !== null ? strict(value, `${path}.${String(name)}`) : value;
      },
    });
  return strict(node, "node") as Node;
}
