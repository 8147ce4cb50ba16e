import type { AccountPage } from "../worker-roomserver/oauth/api.ts";
import type { ClientDevice } from "../worker-roomserver/users/api.ts";
import type { Content } from "./endpoint.ts";
import { type Html, html, page } from "./html.ts";

type Section = (shown: AccountPage) => Html;

/**
 * What each action shows.
 * @see https://spec.matrix.org/v1.19/client-server-api/#account-management-url-actions
 */
export const accountActions: ReadonlyMap<string, Section> = new Map<string, Section>([
  ["org.matrix.profile", profile],
  ["org.matrix.devices_list", devices],
  ["org.matrix.device_view", oneDevice],
  ["org.matrix.device_delete", oneDevice],
  ["org.matrix.account_deactivate", deactivation],
  ["org.matrix.cross_signing_reset", crossSigning],
]);

/** What clients call them that were written before they were in the spec. */
export const formerActions: ReadonlyMap<string, Section> = new Map<string, Section>([
  ["org.matrix.sessions_list", devices],
  ["org.matrix.session_view", oneDevice],
  ["org.matrix.session_end", oneDevice],
]);

/** What was asked for alone, or all there is. */
export function accountPage(shown: AccountPage): Content {
  const { userId, action, problem, done, session } = shown;
  const section = accountActions.get(action ?? "") ?? formerActions.get(action ?? "");
  const sections = section === undefined ? [profile, devices, crossSigning, deactivation] : [section];
  return page({
    title: "Your account",
    body: html`<p>You are <bdi>${userId}</bdi>.</p>
${problem !== undefined && html`<p role="alert">${problem}</p>`}
${done !== undefined && html`<p role="status">${done}</p>`}
${sections.map((part) => part(shown))}
${section && form(session, "show", html`<button>Show everything</button>`)}`,
  });
}

function form(session: string, act: string, fields: Html): Html {
  return html`<form method="post" action="manage">
<input type="hidden" name="session" value="${session}">
<input type="hidden" name="act" value="${act}">
${fields}
</form>`;
}

function profile({ session, displayName }: AccountPage): Html {
  const fields = html`<label>Display name <input name="display_name" value="${displayName}" maxlength="256" autocomplete="nickname"></label>
<button>Change name</button>`;
  return html`<h2>Profile</h2>
${form(session, "rename", fields)}`;
}

function devices({ session, devices }: AccountPage): Html {
  return html`<h2>Sessions</h2>
${devices.length === 0 && html`<p>You are signed in nowhere.</p>`}
<ul>${devices.map((device) => html`<li>${deviceLines(session, device)}</li>`)}</ul>`;
}

function oneDevice(shown: AccountPage): Html {
  const device = shown.devices.find(({ device_id }) => device_id === shown.deviceId);
  if (device === undefined) return html`<p>There is no such session (any more).</p>${devices(shown)}`;
  return html`<h2>Session</h2>
${deviceLines(shown.session, device)}`;
}

function deviceLines(session: string, { device_id, display_name, last_seen_ts }: ClientDevice): Html {
  const seen = new Date(last_seen_ts).toISOString();
  const fields = html`<input type="hidden" name="device_id" value="${device_id}"><button>Sign out ${display_name ?? device_id}</button>`;
  return html`<p><strong><bdi>${display_name ?? "A session without a name"}</bdi></strong> <code>${device_id}</code>, last seen <time datetime="${seen}">${seen.slice(0, 16).replace("T", " ")} UTC</time></p>
${form(session, "endDevice", fields)}`;
}

function crossSigning({ session, resetUntil }: AccountPage): Html {
  const until = resetUntil !== undefined && new Date(resetUntil).toISOString().slice(11, 16);
  return html`<h2>Digital identity</h2>
<p>An app that has lost the keys of your digital identity asks you to come here before it makes new ones. Your contacts will have to verify you again.</p>
${until !== false && html`<p role="status">It may be replaced until ${until} UTC.</p>`}
${form(session, "resetCrossSigning", html`<button>Let an app replace it</button>`)}`;
}

function deactivation({ session }: AccountPage): Html {
  const fields = html`<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<label><input name="erase" type="checkbox" value="true"> Forget my profile too</label>
<button>Deactivate my account</button>`;
  return html`<h2>Deactivate the account</h2>
<p>You leave all rooms and are signed out everywhere. It cannot be undone, and nobody can have this username again.</p>
${form(session, "deactivate", fields)}`;
}
