import { KeyedLock } from "../../node/keyed-lock.ts";
import type { RemoteRooms } from "../../room/remote/api.ts";
import { candidatesOf } from "./candidates.ts";
import { handOver } from "./hand-over.ts";
import { type InviteContext, inviteThrough } from "./invite.ts";
import { type JoinContext, joinThrough } from "./join.ts";
import { oneAfterOther } from "./one-after-other.ts";

/** What users of this server do in rooms that live elsewhere. @see RemoteRooms */
export function remoteRooms(context: JoinContext & InviteContext): RemoteRooms {
  const { serverName, now } = context;
  const joins = new KeyedLock<string>();
  return {
    join: (step) =>
      joins.run(step.roomId, () =>
        oneAfterOther(candidatesOf(step.servers, serverName), now, (server) =>
          joinThrough(context, server, step),
        ),
      ),
    joined: (roomId) => joins.run(roomId, async () => undefined),
    knock: (step) =>
      oneAfterOther(candidatesOf(step.servers, serverName), now, (server) =>
        handOver(context, server, "knock", step),
      ),
    leave: (step) =>
      oneAfterOther(candidatesOf(step.servers, serverName), now, (server) =>
        handOver(context, server, "leave", step),
      ),
    invite: (invite) => inviteThrough(context, invite),
  };
}
