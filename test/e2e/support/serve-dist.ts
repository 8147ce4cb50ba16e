import { distFolder } from "../../../scripts/support/dist.mjs";
import { serveFolder } from "../../../scripts/support/static-server.mjs";

/**
 * Serves the built page on a port, and so an origin, of its own: a second homeserver for a test.
 * @param port - 0 takes a free one; a fixed one brings an earlier origin back
 */
export function serveDist(port = 0): Promise<{ url: string; close(): Promise<void> }> {
  return serveFolder(distFolder, port);
}
