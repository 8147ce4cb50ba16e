import { type BenchPage, startBrowser } from "../browser.ts";
import { measure, startWorker } from "./in-page.ts";
import { serveWorker } from "./serve-worker.ts";

/** A worker's measurements by name: what each is asked with, and gives. */
type Catalogue<M> = { [N in keyof M]: { argument: unknown; result: unknown } };

/** Has the worker carry out one of its measurements. */
export type Ask<M extends Catalogue<M>> = <N extends keyof M & string>(
  name: N,
  argument: M[N]["argument"],
) => Promise<M[N]["result"]>;

/**
 * Starts a dedicated worker in a page of a real browser, for as long as it is measured.
 * @param entry - the worker's module
 */
export async function withWorker<M extends Catalogue<M>, T>(
  entry: string,
  use: (ask: Ask<M>, page: BenchPage) => Promise<T>,
): Promise<T> {
  const server = await serveWorker(entry);
  const browser = await startBrowser();
  try {
    const page = await browser.open(server.url);
    await page.evaluate(startWorker, undefined);
    return await use(
      async (name, argument) => (await page.evaluate(measure, { name, argument })) as never,
      page,
    );
  } finally {
    await browser.close();
    await server.close();
  }
}
