import type { TimelineEvent } from "../model/timeline-event.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { useTask } from "../parts/use-task.ts";
import type { Room } from "../sdk.ts";
import { useClient } from "../state/session-context.ts";

export function DeleteDialog({
  room,
  event,
  onClose,
}: {
  room: Room;
  event: TimelineEvent;
  onClose(): void;
}) {
  const client = useClient();
  const { busy, problem, run } = useTask();
  const remove = async () => {
    if (await run(() => client.redactEvent(room.roomId, event.id))) onClose();
  };
  return (
    <Dialog title="Delete this message?" onClose={onClose} role="alertdialog">
      <p>Its text goes for everybody in the room; that there was a message stays visible.</p>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <div className="dialog-actions">
        <ActionButton onPress={onClose}>Keep</ActionButton>
        <ActionButton
          look="danger"
          isDisabled={busy}
          onPress={() => void remove()}
          data-testid="delete-confirm"
        >
          Delete
        </ActionButton>
      </div>
    </Dialog>
  );
}
