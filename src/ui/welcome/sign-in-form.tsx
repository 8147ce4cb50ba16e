import { type FormEvent, useState } from "react";
import { bootSentence } from "../model/home-state.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Field } from "../parts/field.tsx";
import { useTask } from "../parts/use-task.ts";
import { useSession, useSessionState } from "../state/session-context.ts";
import { askToKeepStorage } from "../state/storage-persistence.ts";

export function SignInForm() {
  const session = useSession();
  const { boot } = useSessionState();
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const { busy, problem, run } = useTask();
  const running = boot.phase === "ready" || boot.phase === "following";
  const complete = user.trim() !== "" && password !== "";

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!complete || busy) return;
    askToKeepStorage();
    void run(() => session.signIn(user, password));
  };

  return (
    <form className="form" onSubmit={submit}>
      <Field
        label="Name"
        value={user}
        onChange={setUser}
        autoComplete="username"
        autoFocus
        isDisabled={busy}
        hint="The first part of your address, such as anna."
        inputTestId="signin-name"
      />
      <Field
        label="Password"
        type="password"
        value={password}
        onChange={setPassword}
        autoComplete="current-password"
        isDisabled={busy}
        inputTestId="signin-password"
      />
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <ActionButton look="primary" type="submit" isDisabled={!complete || busy} data-testid="signin-submit">
        {busy ? "One moment" : "Sign in"}
      </ActionButton>
      <p className="form-progress" aria-live="polite">
        {busy ? (running ? "Signing you in." : bootSentence(boot)) : ""}
      </p>
    </form>
  );
}
