import { useState } from "react";
import { ActionButton } from "../parts/action-button.tsx";
import { CopyButton } from "../parts/copy-button.tsx";

/** The password that was made at sign-up, covered until somebody asks for it. */
export function GeneratedPassword({ password }: { password: string }) {
  const [shown, setShown] = useState(false);
  return (
    <>
      {shown ? (
        <code>{password}</code>
      ) : (
        <span className="facts-covered">made for you, kept in this browser</span>
      )}
      <ActionButton onPress={() => setShown(!shown)}>{shown ? "Hide" : "Show"}</ActionButton>
      {shown && <CopyButton value={password} />}
    </>
  );
}
