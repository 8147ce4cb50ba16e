import { forbidden, MatrixError, notFound } from "../../../matrix/errors.ts";
import { isRoomId } from "../../../matrix/identifiers.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { Requester } from "../../node/requester.ts";
import type { RoomParts } from "../parts.ts";
import type { RemoteStep } from "../remote/api.ts";
import { inviteElsewhere } from "./invite-elsewhere.ts";
import type { MemberStep } from "./member-step.ts";
import { isForOthers } from "./residence.ts";
import { serversToAsk } from "./servers-to-ask.ts";

/**
 * A membership that takes other servers: of a room that lives there, or of a user from there.
 * @param here - takes the step in a room that is here
 * @param done - called once the step is taken, and stored, unless `here` has done that
 * @throws MatrixError what RemoteRooms throws; M_NOT_FOUND (404) where there is nobody to ask
 */
export async function changeElsewhere(
  parts: RoomParts,
  requester: Requester,
  step: MemberStep,
  { here, done }: { here: () => Promise<void>; done: () => Promise<void> },
): Promise<void> {
  switch (step.action) {
    case "join":
      // Who comes second finds the room here.
      return parts.entering.run(step.roomId, async () => {
        if (!(await isForOthers(parts, step))) return here();
        if (requester.kind === "guest")
          throw forbidden("Guests may join only rooms that are on this server.");
        await parts.remote.join(await remoteStep(parts, step, await withProfile(parts, step)));
        return done();
      });
    case "knock":
      return parts.entering.run(step.roomId, async () => {
        if (!(await isForOthers(parts, step))) return here();
        const standing = await parts.outOfBand.find(step.roomId, step.target);
        if (standing?.membership !== "knock") await knock(parts, step);
        return done();
      });
    case "leave":
      await leave(parts, step);
      return done();
    default:
      await inviteElsewhere(parts, requester, {
        ...{ roomId: step.roomId, target: step.target },
        content: await withProfile(parts, step),
      });
      return done();
  }
}

async function knock(parts: RoomParts, step: MemberStep): Promise<void> {
  const { event, roomVersion, roomState } = await parts.remote.knock(
    await remoteStep(parts, step, await withProfile(parts, step)),
  );
  await parts.outOfBand.addKnock({ event, roomVersion, strippedState: roomState });
}

/** Whatever others say, the user is out: an invite must not stay because a server is gone for good. */
async function leave(parts: RoomParts, step: MemberStep): Promise<void> {
  const { roomId, target } = step;
  const taken = await remoteStep(parts, step, withReason(step))
    .then((leaving) => parts.remote.leave(leaving))
    .catch((error: unknown) => {
      if (!(error instanceof MatrixError)) throw error;
      console.warn(`hearth: nobody was told that ${target} wants nothing of ${roomId}: ${error.message}`);
      return undefined;
    });
  await parts.outOfBand.endOutOfBand(roomId, target, taken?.event);
}

async function remoteStep(parts: RoomParts, step: MemberStep, content: JsonObject): Promise<RemoteStep> {
  const servers = isRoomId(step.roomId) ? await serversToAsk(parts, step) : [];
  if (servers.length === 0) {
    throw notFound("This server does not know the room, and no other server was named that may.");
  }
  return { roomId: step.roomId, userId: step.target, servers, content };
}

const withReason = ({ content, reason }: MemberStep): JsonObject => ({
  ...content,
  ...(reason !== undefined && { reason }),
});

async function withProfile(parts: RoomParts, step: MemberStep): Promise<JsonObject> {
  const profile = await parts.users.memberProfile(step.target);
  return { ...step.content, ...profile, ...(step.reason !== undefined && { reason: step.reason }) };
}
