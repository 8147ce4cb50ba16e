import { type FormEvent, useState } from "react";
import { text } from "../model/timeline-event.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Field } from "../parts/field.tsx";
import { useTask } from "../parts/use-task.ts";
import { EventType, type Room } from "../sdk.ts";
import { useClient } from "../state/session-context.ts";

type RoomDetailsFormProps = { room: Room; mayName: boolean; mayTopic: boolean; onDone(): void };

export function RoomDetailsForm({ room, mayName, mayTopic, onDone }: RoomDetailsFormProps) {
  const client = useClient();
  const read = (type: EventType, key: string) =>
    text(room.currentState.getStateEvents(type, "")?.getContent(), key);
  const [name, setName] = useState(() => read(EventType.RoomName, "name"));
  const [topic, setTopic] = useState(() => read(EventType.RoomTopic, "topic"));
  const { busy, problem, run } = useTask();
  const save = async () => {
    if (mayName && name.trim() !== read(EventType.RoomName, "name")) {
      await client.setRoomName(room.roomId, name.trim());
    }
    if (mayTopic && topic.trim() !== read(EventType.RoomTopic, "topic")) {
      await client.setRoomTopic(room.roomId, topic.trim());
    }
    onDone();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!busy) void run(save);
  };
  return (
    <form className="panel-section form" onSubmit={submit}>
      <Field
        label="Name"
        value={name}
        onChange={setName}
        isDisabled={!mayName}
        inputTestId="room-name-input"
      />
      <Field
        label="Topic"
        value={topic}
        onChange={setTopic}
        isDisabled={!mayTopic}
        inputTestId="room-topic-input"
      />
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <div className="member-buttons">
        <ActionButton onPress={onDone}>Cancel</ActionButton>
        <ActionButton look="primary" type="submit" isDisabled={busy}>
          Save
        </ActionButton>
      </div>
    </form>
  );
}
