import { ActionButton } from "../parts/action-button.tsx";
import { useTask } from "../parts/use-task.ts";
import { openRoom } from "../state/route.ts";
import { useClient } from "../state/session-context.ts";

/** Yes or no to an invitation. */
export function InviteActions({ roomId }: { roomId: string }) {
  const client = useClient();
  const { busy, problem, run } = useTask();
  const accept = async () => {
    await client.joinRoom(roomId);
    openRoom(roomId);
  };
  return (
    <>
      <div className="invite-actions">
        <ActionButton
          look="primary"
          isDisabled={busy}
          onPress={() => void run(accept)}
          data-testid="invite-accept"
        >
          {busy ? "One moment" : "Accept"}
        </ActionButton>
        <ActionButton
          isDisabled={busy}
          onPress={() => void run(() => client.leave(roomId))}
          data-testid="invite-decline"
        >
          Decline
        </ActionButton>
      </div>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}
