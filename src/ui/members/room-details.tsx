import { useState } from "react";
import { powerIn } from "../matrix/power-in.ts";
import { roomName } from "../matrix/room-names.ts";
import { maySend } from "../model/power.ts";
import { text } from "../model/timeline-event.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Avatar } from "../parts/avatar.tsx";
import { CopyButton } from "../parts/copy-button.tsx";
import { EventType, JoinRule, type Room } from "../sdk.ts";
import { useClient } from "../state/session-context.ts";
import { RoomDetailsForm } from "./room-details-form.tsx";

/** A room may name a rule that nobody knows. */
const joinWords = new Map<string, string>([
  [JoinRule.Public, "Anyone may come in."],
  [JoinRule.Invite, "Only who is invited may come in."],
  [JoinRule.Knock, "Whoever wants to come in asks."],
  [JoinRule.Restricted, "Members of certain rooms may come in."],
  [JoinRule.Private, "Nobody may come in."],
]);

export function RoomDetails({ room }: { room: Room }) {
  const me = useClient().getSafeUserId();
  const [editing, setEditing] = useState(false);
  const power = powerIn(room);
  const topic = text(room.currentState.getStateEvents(EventType.RoomTopic, "")?.getContent(), "topic");
  const mayName = maySend(power, me, EventType.RoomName, true);
  const mayTopic = maySend(power, me, EventType.RoomTopic, true);
  const name = roomName(room);
  if (editing) {
    return (
      <RoomDetailsForm room={room} mayName={mayName} mayTopic={mayTopic} onDone={() => setEditing(false)} />
    );
  }
  return (
    <section className="panel-section room-details">
      <Avatar id={room.roomId} name={name} size="large" square />
      <h3 className="room-details-name">{name}</h3>
      {topic && <p className="room-details-topic">{topic}</p>}
      <p className="panel-note">{joinWords.get(room.getJoinRule())}</p>
      <div className="member-buttons">
        {(mayName || mayTopic) && <ActionButton onPress={() => setEditing(true)}>Edit</ActionButton>}
        <CopyButton value={room.getCanonicalAlias() ?? room.roomId} label="Copy room id" />
      </div>
    </section>
  );
}
