import { ActionButton } from "../parts/action-button.tsx";
import { useTask } from "../parts/use-task.ts";
import { openRoom } from "../state/route.ts";
import { useClient } from "../state/session-context.ts";

export function JoinButton({ roomIdOrAlias }: { roomIdOrAlias: string }) {
  const client = useClient();
  const { busy, problem, run } = useTask();
  const join = async () => {
    const room = await client.joinRoom(roomIdOrAlias);
    openRoom(room.roomId);
  };
  return (
    <>
      <ActionButton look="primary" isDisabled={busy} onPress={() => void run(join)}>
        {busy ? "Joining" : "Join"}
      </ActionButton>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}
