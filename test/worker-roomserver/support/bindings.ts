import { expose, wrap } from "comlink";
import type { Node } from "../../../src/worker-roomserver/node/api.ts";
import type { OpenNode } from "../../../src/worker-roomserver/node/node.ts";

/** The two ways to call a node, which no caller can tell apart. `prepareComlink` has to have been called. */
export const bindings: [name: string, bind: (node: OpenNode) => Promise<Node>][] = [
  ["directly", async (node) => node],
  [
    "through a port",
    async (node) => {
      const { port1, port2 } = new MessageChannel();
      expose(node, port1);
      return wrap<Node>(port2) as unknown as Node;
    },
  ],
];
