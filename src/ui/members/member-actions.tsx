import { mayDo, mayDoTo, type RoomPower } from "../model/power.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { CopyButton } from "../parts/copy-button.tsx";
import { useTask } from "../parts/use-task.ts";
import { KnownMembership, type Room } from "../sdk.ts";
import { useClient } from "../state/session-context.ts";

type MemberActionsProps = { room: Room; power: RoomPower; userId: string };

/** A member's whole address, and what one may do about them. */
export function MemberActions({ room, power, userId }: MemberActionsProps) {
  const client = useClient();
  const { busy, problem, run } = useTask();
  const me = client.getSafeUserId();
  const membership = room.getMember(userId)?.membership;
  const other = userId !== me;
  const isBanned = membership === KnownMembership.Ban;
  const mayKick = other && !isBanned && mayDoTo(power, me, "kick", userId);
  const mayBan = other && !isBanned && mayDoTo(power, me, "ban", userId);
  const mayUnban = isBanned && mayDo(power, me, "kick") && mayDoTo(power, me, "ban", userId);
  const mayAdmit = membership === KnownMembership.Knock && mayDo(power, me, "invite");
  return (
    <div className="member-actions">
      <code className="member-id">{userId}</code>
      <div className="member-buttons">
        <CopyButton value={userId} label="Copy address" />
        {mayAdmit && (
          <ActionButton isDisabled={busy} onPress={() => void run(() => client.invite(room.roomId, userId))}>
            Let in
          </ActionButton>
        )}
        {mayKick && (
          <ActionButton
            isDisabled={busy}
            onPress={() => void run(() => client.kick(room.roomId, userId))}
            data-testid="member-kick"
          >
            {membership === KnownMembership.Join ? "Remove" : "Take back"}
          </ActionButton>
        )}
        {mayBan && (
          <ActionButton
            look="danger"
            isDisabled={busy}
            onPress={() => void run(() => client.ban(room.roomId, userId))}
            data-testid="member-ban"
          >
            Ban
          </ActionButton>
        )}
        {mayUnban && (
          <ActionButton
            isDisabled={busy}
            onPress={() => void run(() => client.unban(room.roomId, userId))}
            data-testid="member-unban"
          >
            Lift the ban
          </ActionButton>
        )}
      </div>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
