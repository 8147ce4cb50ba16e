import { atTheEnd } from "./at-the-end.ts";

/** An empty folder that is gone after the test. */
export async function makeFolder(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "hearth-relay-" });
  atTheEnd(() => Deno.remove(folder, { recursive: true }));
  return folder;
}
