import { type FormEvent, useState } from "react";
import { homeState } from "../model/home-state.ts";
import { serverOf } from "../model/names.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { CopyButton } from "../parts/copy-button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Field } from "../parts/field.tsx";
import { useTask } from "../parts/use-task.ts";
import { accountName } from "../state/accounts.ts";
import { useSession, useSessionState } from "../state/session-context.ts";
import "../styles/settings.css";
import { GeneratedPassword } from "./generated-password.tsx";
import { NotificationsLine } from "./notifications-line.tsx";
import { RelaysSection } from "./relays-section.tsx";
import { StorageLine } from "./storage-line.tsx";

/** Who I am, and how the homeserver in this browser is. */
export function SettingsDialog({ onClose }: { onClose(): void }) {
  const session = useSession();
  const { boot, connection, account } = useSessionState();
  const current = account ? accountName(account) : "";
  const [name, setName] = useState(current);
  const { busy, problem, run } = useTask();
  const changed = name.trim() !== "" && name.trim() !== current;
  const save = (event: FormEvent) => {
    event.preventDefault();
    if (changed && !busy) void run(() => session.rename(name.trim()));
  };
  if (!account) return null;
  const me = account.userId;
  return (
    <Dialog title="Settings" onClose={onClose}>
      <form className="field-row" onSubmit={save}>
        <Field
          label="Your name"
          value={name}
          onChange={setName}
          problem={problem}
          inputTestId="settings-name"
        />
        <ActionButton type="submit" isDisabled={!changed || busy}>
          Save
        </ActionButton>
      </form>
      <dl className="facts">
        <dt>Your address</dt>
        <dd>
          <code>{me}</code>
          <CopyButton value={me} />
        </dd>
        <dt>This homeserver</dt>
        <dd>
          <code>{serverOf(me)}</code>
          <span className="facts-note">
            Its name is its key: nobody can take it, and it needs no authority.
          </span>
        </dd>
        <dt>State</dt>
        <dd>{homeState(boot, connection).words}</dd>
        <dt>Notifications</dt>
        <dd>
          <NotificationsLine />
        </dd>
        <dt>Storage</dt>
        <dd>
          <StorageLine />
        </dd>
        {account.generatedPassword && (
          <>
            <dt>Password</dt>
            <dd>
              <GeneratedPassword password={account.generatedPassword} />
            </dd>
          </>
        )}
      </dl>
      <RelaysSection account={account} />
    </Dialog>
  );
}
