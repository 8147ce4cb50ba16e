import { homeState } from "../model/home-state.ts";
import { useSessionState } from "../state/session-context.ts";

/** The state of the homeserver in words, at the foot of the room list. */
export function HomeLine() {
  const { boot, connection } = useSessionState();
  const { words, tone } = homeState(boot, connection);
  return (
    <p
      className="home-line"
      role="status"
      data-testid="home-state"
      data-phase={boot.phase}
      data-connection={connection}
    >
      <span className="home-dot" data-tone={tone} />
      {words}
      {boot.detail && <span className="home-detail">{boot.detail}</span>}
    </p>
  );
}
