import { useState } from "react";
import { roomName } from "../matrix/room-names.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { useTask } from "../parts/use-task.ts";
import { JoinRule, type Room } from "../sdk.ts";
import { closeRoom } from "../state/route.ts";
import { useClient } from "../state/session-context.ts";

export function LeaveRoom({ room }: { room: Room }) {
  const client = useClient();
  const [asks, setAsks] = useState(false);
  const { busy, problem, run } = useTask();
  const leave = async () => {
    await client.leave(room.roomId);
    closeRoom();
  };
  return (
    <section className="panel-section">
      <ActionButton look="danger" onPress={() => setAsks(true)} data-testid="leave-room">
        Leave this room
      </ActionButton>
      {asks && (
        <Dialog title={`Leave ${roomName(room)}?`} onClose={() => setAsks(false)} role="alertdialog">
          <p>
            {room.getJoinRule() === JoinRule.Public
              ? "You can come back at any time."
              : "To come back, somebody inside has to invite you."}
          </p>
          {problem && (
            <p className="problem" role="alert">
              {problem}
            </p>
          )}
          <div className="dialog-actions">
            <ActionButton onPress={() => setAsks(false)}>Stay</ActionButton>
            <ActionButton
              look="danger"
              isDisabled={busy}
              onPress={() => void run(leave)}
              data-testid="leave-confirm"
            >
              Leave
            </ActionButton>
          </div>
        </Dialog>
      )}
    </section>
  );
}
