import { bootSentence } from "../model/home-state.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Mark } from "../parts/mark.tsx";
import { accountName } from "../state/accounts.ts";
import { useSession, useSessionState } from "../state/session-context.ts";

/** The moment between opening the page and seeing one's rooms, in words. */
export function Opening() {
  const { boot, account, notice } = useSessionState();
  const session = useSession();
  const running = boot.phase === "ready" || boot.phase === "following";
  return (
    <main className="stage">
      <section className="card card-centred card-bare" aria-live="polite">
        <Mark size={72} />
        <p className="opening-words" data-testid="home-state" data-phase={boot.phase}>
          {running && account ? `Opening the rooms of ${accountName(account)}` : bootSentence(boot)}
        </p>
        {boot.detail && <p className="card-text">{boot.detail}</p>}
        {notice ? (
          <>
            <p className="problem" role="alert">
              {notice}
            </p>
            {account && (
              <ActionButton look="primary" onPress={() => void session.switchTo(account.userId)}>
                Try again
              </ActionButton>
            )}
          </>
        ) : (
          <div className="progress" role="progressbar" aria-label="Starting" />
        )}
      </section>
    </main>
  );
}
