import type { MatrixError } from "../matrix/errors.ts";
import type {
  ClientView,
  ConsentPage,
  Page,
  PageTarget,
  SignInPage,
} from "../worker-roomserver/oauth/api.ts";
import { Content } from "./endpoint.ts";
import { type Html, html, page } from "./html.ts";
import { accountPage } from "./oauth-account-html.ts";

/** What the browser is shown, or where it is sent. @param target - what the page was opened for */
export function shown(result: Page, target?: PageTarget): Content {
  switch (result.page) {
    case "redirect":
      return new Content(303, null, { Location: result.to, "Referrer-Policy": "no-referrer" });
    case "signIn":
      return signInPage(result, target);
    case "create":
      return createPage(result, target);
    case "consent":
      return consentPage(result);
    case "account":
      return accountPage(result);
    case "done":
      return donePage(result);
  }
}

/** An error as a page. */
export function refusedPage(error: MatrixError): Content {
  const isAway = error.status === 503;
  const wait = error.extra.retry_after_ms;
  return page({
    title: isAway ? "Hearth is not open" : "This did not work",
    status: error.status,
    headers: typeof wait === "number" ? { "Retry-After": String(Math.ceil(wait / 1000)) } : {},
    // A page of Hearth has to be open, as the homeserver runs in it.
    body: html`<p role="alert">${error.message}</p>
${isAway && html`<p><a href="../../" target="_blank" rel="noopener">Open Hearth in another tab</a>, then load this page again.</p>`}`,
  });
}

/** The page's own address, relative to its folder: it may be served under any prefix. */
function addressOf(target: PageTarget | undefined, name?: string, without?: string): string {
  const query: Record<string, string | undefined> =
    target?.for === "authorize"
      ? target.query
      : target?.for === "account"
        ? { action: target.action, device_id: target.deviceId }
        : {};
  const given = Object.entries(query).filter(([key, value]) => value !== undefined && key !== without);
  const search = new URLSearchParams(given as [string, string][]).toString();
  return `${name ?? target?.for ?? "account"}${search === "" ? "" : `?${search}`}`;
}

const problemLine = (problem: string | undefined): Html | undefined =>
  problem === undefined ? undefined : html`<p role="alert">${problem}</p>`;

function clientLines({ name, uri, tosUri, policyUri }: ClientView): Html {
  const links = [
    ["About the app", uri],
    ["Terms of service", tosUri],
    ["Privacy policy", policyUri],
  ] as const;
  return html`<p>The app <strong><bdi>${name}</bdi></strong> of <bdi>${new URL(uri).host}</bdi> wants to use your account.</p>
<p>${links.map(([text, link]) => link !== undefined && html`<a href="${link}" target="_blank" rel="noopener noreferrer">${text}</a> `)}</p>`;
}

function credentials({ user }: SignInPage, isNew: boolean): Html {
  return html`<label>Username <input name="username" value="${user}" autocomplete="username" autocapitalize="none" spellcheck="false" required></label>
<label>Password <input name="password" type="password" autocomplete="${isNew ? "new-password" : "current-password"}" required></label>`;
}

function signInPage(shown: SignInPage, target: PageTarget | undefined): Content {
  const { client, problem, registration, redirectUri } = shown;
  const create = target?.for === "authorize" && registration !== "closed";
  return page({
    title: target?.for === "device" ? "Link a device" : "Sign in",
    redirectUri,
    body: html`${problemLine(problem)}
${client && clientLines(client)}
<form method="post" action="${addressOf(target)}">
${
  target?.for === "device" &&
  html`<label>Code that the device shows <input name="user_code" value="${target.userCode}" autocomplete="off" autocapitalize="characters" spellcheck="false" required></label>`
}
${credentials(shown, false)}
<button>Continue</button>
</form>
${create && html`<p><a href="${addressOf(target, undefined, "prompt")}&amp;prompt=create">Create an account</a></p>`}`,
  });
}

function createPage(shown: SignInPage, target: PageTarget | undefined): Content {
  const { client, problem, registration, redirectUri } = shown;
  const form = html`<form method="post" action="${addressOf(target, "create")}">
${credentials(shown, true)}
<label>Password again <input name="password_again" type="password" autocomplete="new-password" required></label>
${registration === "token" && html`<label>Registration token <input name="token" autocomplete="off" required></label>`}
<button>Create account</button>
</form>`;
  return page({
    title: "Create an account",
    redirectUri,
    body: html`${problemLine(problem)}
${client && clientLines(client)}
${registration === "closed" ? html`<p>This server gives out no accounts.</p>` : form}
<p><a href="${addressOf(target, undefined, "prompt")}">Sign in to an account that you have</a></p>`,
  });
}

function consentPage({ session, userId, client, deviceId, replaces, redirectUri }: ConsentPage): Content {
  return page({
    title: "Allow this app?",
    redirectUri,
    body: html`<p>You are <bdi>${userId}</bdi>.</p>
${clientLines(client)}
<p>It will read and send messages as you, and see your contacts and rooms. Its session is called <code>${deviceId}</code>.</p>
${replaces !== undefined && html`<p>You have a session of this name${replaces !== "" && html` (<bdi>${replaces}</bdi>)`}: it is signed out.</p>`}
${
  redirectUri === undefined
    ? html`<p>Allow it only if the device is in front of you and shows the code that you have entered.</p>`
    : html`<p>You are then sent to <bdi>${targetName(redirectUri)}</bdi>.</p>`
}
<form method="post" action="consent">
<input type="hidden" name="session" value="${session}">
<button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form>`,
  });
}

function targetName(redirectUri: string): string {
  const { protocol, host } = new URL(redirectUri);
  return host === "" ? `${protocol} (an app on this device)` : host;
}

function donePage({ what, client = "" }: Extract<Page, { page: "done" }>): Content {
  const said = {
    allowed: ["Device linked", html`<p><bdi>${client}</bdi> is signed in. You can close this page.</p>`],
    denied: ["Not allowed", html`<p><bdi>${client}</bdi> was not signed in. You can close this page.</p>`],
    deactivated: ["Account deactivated", html`<p>Your account is gone. You can close this page.</p>`],
  } as const;
  const [title, body] = said[what];
  return page({ title, body });
}
