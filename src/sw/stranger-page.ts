import type { MatrixError } from "../matrix/errors.ts";
import type { Content } from "./endpoint.ts";
import { html, page } from "./html.ts";

/**
 * For media that somebody has opened in a tab of its own: no page asks for it, so nobody knows whose it is to see.
 * @returns undefined for errors that say something else
 */
export function strangerPage({ status }: MatrixError): Content | undefined {
  if (status !== 401 && status !== 404) return undefined;
  return page({
    title: "This file cannot be opened here",
    status,
    headers: {},
    body: html`<p role="alert">Files are shown to those who are logged in, and a tab of its own is not, or the file is not there.</p>
<p>Please open or save it from your Matrix client.</p>`,
  });
}
