import type { BenchBrowser, BenchPage } from "./browser.ts";
import { untilUp } from "./in-page.ts";

/** Opens the page and waits until its homeserver answers. */
export async function openHomeserver(browser: BenchBrowser, url: string): Promise<BenchPage> {
  const page = await browser.open(url);
  await page.evaluate(untilUp, undefined);
  return page;
}
