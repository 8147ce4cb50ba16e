import { Mark } from "../parts/mark.tsx";
import { accountName } from "../state/accounts.ts";
import { useSessionState } from "../state/session-context.ts";

/** What stands beside the room list while no room is open. */
export function Start() {
  const { account } = useSessionState();
  return (
    <main className="start">
      <Mark size={88} />
      <h1 className="start-title">{account ? `Welcome home, ${accountName(account)}` : "Welcome home"}</h1>
      <p className="start-text">
        Open a room on the left, or make one and invite somebody. What you write is kept in this browser, by
        the homeserver in this page.
      </p>
    </main>
  );
}
