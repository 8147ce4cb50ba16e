import { Content } from "./endpoint.ts";

/** Text that is HTML already. Made by `html` alone, so that nothing else gets into a page unescaped. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Html | undefined | false | readonly Part[];

/** HTML with what is put in escaped, for text and for quoted attributes; undefined and false are nothing. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(strings.reduce((text, string, i) => text + written(parts[i - 1]) + string));
}

function written(part: Part): string {
  if (part === undefined || part === false) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "object") return part.map(written).join("");
  return String(part).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 26rem; margin: 3rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
label { display: block; margin: 1rem 0; }
input:not([type=checkbox]) { display: block; box-sizing: border-box; width: 100%; padding: .6rem; font: inherit; }
button { padding: .6rem 1.2rem; margin: .25rem .5rem .25rem 0; font: inherit; cursor: pointer; }
bdi, code { overflow-wrap: anywhere; }
[role=alert] { border-left: .25rem solid #c33; padding-left: .75rem; }
[role=status] { border-left: .25rem solid #393; padding-left: .75rem; }
`;

export type PageOptions = {
  title: string;
  body: Html;
  status?: number;
  /** Where the answer to a form of this page may send the browser on to. */
  redirectUri?: string | undefined;
  headers?: Record<string, string>;
};

/** A page that runs nothing, loads nothing, is in no frame, and tells nobody where its reader came from. */
export function page({ title, body, status = 200, redirectUri, headers = {} }: PageOptions): Content {
  const nonce = crypto.randomUUID();
  const text = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} – Hearth</title>
<style nonce="${nonce}">${new Html(style)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`.text;
  const policy = [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `form-action ${["'self'", ...formTargets(redirectUri)].join(" ")}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");
  return new Content(status, text, {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": policy,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    ...headers,
  });
}

/** Chromium holds what a form's answer redirects to against the policy too. */
function formTargets(redirectUri: string | undefined): string[] {
  if (redirectUri === undefined) return [];
  const { protocol, origin, hostname } = new URL(redirectUri);
  // A source in a policy cannot name an IPv6 address.
  const hasOrigin = (protocol === "https:" || protocol === "http:") && !hostname.startsWith("[");
  return [hasOrigin ? origin : protocol];
}
