import { type FormEvent, useState } from "react";
import { expandRoom, serverOf, serversInLink } from "../model/names.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Field } from "../parts/field.tsx";
import { useTask } from "../parts/use-task.ts";
import { openRoom } from "../state/route.ts";
import { useClient } from "../state/session-context.ts";

export function JoinRoomDialog({ onClose }: { onClose(): void }) {
  const client = useClient();
  const [text, setText] = useState("");
  const { busy, problem, run } = useTask();
  const target = expandRoom(text, serverOf(client.getSafeUserId()));

  const join = async (roomIdOrAlias: string) => {
    const room = await client.joinRoom(roomIdOrAlias, { viaServers: serversInLink(text) });
    openRoom(room.roomId);
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (target !== null && !busy) void run(() => join(target));
  };

  return (
    <Dialog title="Join a room" onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <Field
          label="Room"
          value={text}
          onChange={setText}
          placeholder="#tea or !room-id"
          hint="A room's id, its address, or a link to it."
          problem={problem}
          autoFocus
          inputTestId="join-room-input"
        />
        <div className="dialog-actions">
          <ActionButton onPress={onClose}>Cancel</ActionButton>
          <ActionButton
            look="primary"
            type="submit"
            isDisabled={target === null || busy}
            data-testid="join-room-submit"
          >
            {busy ? "Joining" : "Join"}
          </ActionButton>
        </div>
      </form>
    </Dialog>
  );
}
