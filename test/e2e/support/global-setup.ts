import type { TestProject } from "vitest/node";
import { ensureDist } from "../../../scripts/support/dist.mjs";
import { serveDist } from "./serve-dist.ts";

/** Builds the page if need be and serves it to every end-to-end test: `inject("distUrl")`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await ensureDist();
  const server = await serveDist();
  project.provide("distUrl", server.url);
  return server.close;
}
