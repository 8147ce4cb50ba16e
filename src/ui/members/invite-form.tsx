import { type FormEvent, useState } from "react";
import { expandUserId, serverOf } from "../model/names.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Field } from "../parts/field.tsx";
import { useTask } from "../parts/use-task.ts";
import type { Room } from "../sdk.ts";
import { useClient } from "../state/session-context.ts";

export function InviteForm({ room }: { room: Room }) {
  const client = useClient();
  const [text, setText] = useState("");
  const { busy, problem, run } = useTask();
  const userId = expandUserId(text, serverOf(client.getSafeUserId()));
  const invite = async (target: string) => {
    if (await run(() => client.invite(room.roomId, target))) setText("");
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (userId !== null && !busy) void invite(userId);
  };
  return (
    <form className="panel-section field-row" onSubmit={submit}>
      <Field
        label="Invite"
        value={text}
        onChange={setText}
        placeholder="bob, or @carol:example.org"
        problem={problem}
        autoComplete="off"
        inputTestId="invite-input"
      />
      <ActionButton type="submit" isDisabled={userId === null || busy} data-testid="invite-submit">
        Invite
      </ActionButton>
    </form>
  );
}
