import { type FormEvent, useState } from "react";
import { bootSentence } from "../model/home-state.ts";
import { localpartFor } from "../model/names.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Field } from "../parts/field.tsx";
import { useTask } from "../parts/use-task.ts";
import { useSession, useSessionState } from "../state/session-context.ts";
import { askToKeepStorage } from "../state/storage-persistence.ts";

/** A name is enough: it makes the account, and with it the homeserver somebody lives on. */
export function SignUpForm() {
  const session = useSession();
  const { boot } = useSessionState();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const { busy, problem, run } = useTask();
  const localpart = localpartFor(name);
  const running = boot.phase === "ready" || boot.phase === "following";

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (localpart === "" || busy) return;
    askToKeepStorage();
    void run(() => session.signUp(name, password));
  };

  return (
    <form className="form" onSubmit={submit}>
      <Field
        label="Your name"
        value={name}
        onChange={setName}
        placeholder="Anna"
        autoComplete="username"
        autoFocus
        isDisabled={busy}
        hint={localpart === "" ? "What others call you." : <>Your address here begins with @{localpart}</>}
        inputTestId="signup-name"
      />
      <Field
        label="Password (optional)"
        type="password"
        value={password}
        onChange={setPassword}
        autoComplete="new-password"
        isDisabled={busy}
        hint={
          password === ""
            ? "Without one, a strong password is made for you, and this browser keeps you signed in. You can look it up later in the settings."
            : "Needed to sign in again after signing out. Nobody can reset it for you."
        }
        inputTestId="signup-password"
      />
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <ActionButton
        look="primary"
        type="submit"
        isDisabled={localpart === "" || busy}
        data-testid="signup-submit"
      >
        {busy ? "One moment" : "Light the fire"}
      </ActionButton>
      <p className="form-progress" aria-live="polite">
        {busy ? (running ? "Creating your account." : bootSentence(boot)) : ""}
      </p>
    </form>
  );
}
