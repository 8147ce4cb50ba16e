import { type FormEvent, useState } from "react";
import { Label, Radio, RadioGroup } from "react-aria-components/RadioGroup";
import { expandUserIds, serverOf } from "../model/names.ts";
import { newRoomOptions } from "../model/new-room.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Field } from "../parts/field.tsx";
import { useTask } from "../parts/use-task.ts";
import { type ICreateRoomOpts, Preset } from "../sdk.ts";
import { openRoom } from "../state/route.ts";
import { useClient } from "../state/session-context.ts";

const presets: Record<ReturnType<typeof newRoomOptions>["preset"], Preset> = {
  private_chat: Preset.PrivateChat,
  public_chat: Preset.PublicChat,
  trusted_private_chat: Preset.TrustedPrivateChat,
};

export function CreateRoomDialog({ onClose }: { onClose(): void }) {
  const client = useClient();
  const [name, setName] = useState("");
  const [topic, setTopic] = useState("");
  const [access, setAccess] = useState<"private" | "public">("private");
  const [guests, setGuests] = useState("");
  const { busy, problem, run } = useTask();
  const invite = expandUserIds(guests, serverOf(client.getSafeUserId()));
  const wrong = invite.wrong.length > 0 ? `No user: ${invite.wrong.join(", ")}` : null;
  const complete = (name.trim() !== "" || invite.ids.length > 0) && wrong === null;

  const create = async () => {
    const { preset, ...rest } = newRoomOptions({ name, topic, access, invite: invite.ids });
    const options: ICreateRoomOpts = { ...rest, preset: presets[preset] };
    const { room_id } = await client.createRoom(options);
    openRoom(room_id);
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (complete && !busy) void run(create);
  };

  return (
    <Dialog title="New room" onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <Field
          label="Name"
          value={name}
          onChange={setName}
          placeholder="Kitchen table"
          hint="May stay empty when you invite somebody."
          autoFocus
          inputTestId="create-room-name"
        />
        <Field label="Topic (optional)" value={topic} onChange={setTopic} inputTestId="create-room-topic" />
        <Field
          label="Invite"
          value={guests}
          onChange={setGuests}
          placeholder="bob, @carol:example.org"
          hint="People of this homeserver by their name, others by their whole address."
          problem={wrong}
          inputTestId="create-room-invite"
        />
        <RadioGroup
          className="choices"
          value={access}
          onChange={(value) => setAccess(value === "public" ? "public" : "private")}
        >
          <Label className="field-label">Who may come in</Label>
          <Radio className="choice" value="private" data-testid="create-room-private">
            <span className="choice-dot" />
            Only who is invited
          </Radio>
          <Radio className="choice" value="public" data-testid="create-room-public">
            <span className="choice-dot" />
            Anyone who knows the room's id
          </Radio>
        </RadioGroup>
        {problem && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <div className="dialog-actions">
          <ActionButton onPress={onClose}>Cancel</ActionButton>
          <ActionButton
            look="primary"
            type="submit"
            isDisabled={!complete || busy}
            data-testid="create-room-submit"
          >
            {busy ? "One moment" : "Make the room"}
          </ActionButton>
        </div>
      </form>
    </Dialog>
  );
}
