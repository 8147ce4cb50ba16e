import { useState } from "react";
import { homeState } from "../model/home-state.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Avatar } from "../parts/avatar.tsx";
import { Mark } from "../parts/mark.tsx";
import { accountName } from "../state/accounts.ts";
import { useSession, useSessionState } from "../state/session-context.ts";
import "../styles/welcome.css";
import { SignInForm } from "./sign-in-form.tsx";
import { SignUpForm } from "./sign-up-form.tsx";

/** What this is, and the two ways in: a new account, or one that exists. */
export function Welcome() {
  const { boot, account, accounts, notice, connection } = useSessionState();
  const session = useSession();
  const [way, setWay] = useState<"new" | "known">("new");
  const first = accounts.length === 0;
  const home = homeState(boot, connection);
  return (
    <main className="stage">
      <section className="card">
        <header className="welcome-head">
          <Mark size={56} />
          <h1 className="wordmark">Hearth</h1>
          <p className="welcome-lead">
            {first
              ? "Your own Matrix homeserver, running in this page: nothing to install, and no account anywhere else."
              : "Another person for the homeserver in this browser."}
          </p>
        </header>
        {notice && (
          <p className="notice" role="status">
            {notice}
          </p>
        )}
        {way === "new" ? <SignUpForm /> : <SignInForm />}
        <p className="welcome-switch">
          {way === "new" ? "You have an account here already?" : "You are new here?"}{" "}
          <button type="button" className="link" onClick={() => setWay(way === "new" ? "known" : "new")}>
            {way === "new" ? "Sign in" : "Choose a name"}
          </button>
        </p>
        {account && (
          <footer className="welcome-back">
            <Avatar id={account.userId} name={accountName(account)} size="small" />
            <ActionButton onPress={() => session.stopAdding()}>Back to {accountName(account)}</ActionButton>
          </footer>
        )}
      </section>
      <p className="home-line" data-testid="home-state" data-phase={boot.phase}>
        <span className="home-dot" data-tone={home.tone} />
        Homeserver: {home.words.toLowerCase()}
      </p>
    </main>
  );
}
