import { ActionButton } from "../parts/action-button.tsx";
import { CopyButton } from "../parts/copy-button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { useTask } from "../parts/use-task.ts";
import { accountName } from "../state/accounts.ts";
import { useSession, useSessionState } from "../state/session-context.ts";

/** Asks before a login ends, above all when only this browser knows its password. */
export function SignOutDialog({ onClose }: { onClose(): void }) {
  const session = useSession();
  const { account } = useSessionState();
  const { busy, run } = useTask();
  if (!account) return null;
  return (
    <Dialog title={`Sign out ${accountName(account)}?`} onClose={onClose} role="alertdialog">
      {account.generatedPassword ? (
        <>
          <p>
            Only this browser knows the password that was made for this account. Copy it now: without it you
            cannot sign in again.
          </p>
          <p className="secret">
            <code>{account.generatedPassword}</code>
            <CopyButton value={account.generatedPassword} />
          </p>
        </>
      ) : (
        <p>You can sign in again with your name and your password. The rooms stay on this homeserver.</p>
      )}
      <div className="dialog-actions">
        <ActionButton onPress={onClose}>Stay</ActionButton>
        <ActionButton
          look="danger"
          isDisabled={busy}
          onPress={() => void run(() => session.signOut())}
          data-testid="sign-out-confirm"
        >
          Sign out
        </ActionButton>
      </div>
    </Dialog>
  );
}
