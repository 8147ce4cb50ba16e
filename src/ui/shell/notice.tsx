import { IconButton } from "../parts/icon-button.tsx";
import { useSession, useSessionState } from "../state/session-context.ts";

/** Something that happened without being asked for, until it is dismissed. */
export function Notice() {
  const { notice } = useSessionState();
  const session = useSession();
  if (notice === null) return null;
  return (
    <div className="toast" role="status">
      <span>{notice}</span>
      <IconButton icon="close" label="Dismiss" onPress={() => session.dismissNotice()} />
    </div>
  );
}
