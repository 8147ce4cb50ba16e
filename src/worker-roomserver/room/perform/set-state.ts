import { checkAliasContent, namedAliases } from "../../../matrix/canonical-alias.ts";
import { canonicalJson } from "../../../matrix/canonical-json.ts";
import { parseUserId } from "../../../matrix/identifiers.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { Requester, RequestId } from "../../node/requester.ts";
import type { RoomParts } from "../parts.ts";
import type { RoomPlan } from "../plan.ts";
import { requireTakesInvites } from "./invite-permission.ts";
import { requireGuestsWelcome, requireReachable } from "./membership.ts";

type SettingState = {
  roomId: string;
  type: string;
  stateKey: string;
  content: JsonObject;
  ts?: number | undefined;
};

/**
 * `PUT /rooms/{roomId}/state/{eventType}/{stateKey}`
 * @throws MatrixError M_BAD_ALIAS (400), M_INVALID_PARAM (400) for an alias that is new in `m.room.canonical_alias`; what
 *   `RoomPlan` throws
 */
export function setState(
  parts: RoomParts,
  request: RequestId,
  requester: Requester,
  state: SettingState,
): Promise<{ event_id: string }> {
  return parts.answers.once(request, async (record) => {
    if (state.type === "m.room.member" && state.content.membership === "invite") {
      await parts.users.findAccount(state.stateKey);
    }
    const eventId = await parts.writer.write(
      state.roomId,
      async (plan) => {
        const present = await plan.state(state.type, state.stateKey);
        if (present?.pdu.sender === requester.userId && sameContent(present.pdu.content, state.content)) {
          return present.eventId;
        }
        await requireStateSense(parts, requester, plan, state);
        const planned = await plan.add({
          type: state.type,
          sender: requester.userId,
          stateKey: state.stateKey,
          content: state.content,
          ts: state.ts ?? parts.now(),
        });
        return planned.eventId;
      },
      (write, sent) => {
        record(write, { event_id: sent });
      },
    );
    return { event_id: eventId };
  });
}

/** What the auth rules let pass, and is refused all the same. */
async function requireStateSense(
  parts: RoomParts,
  requester: Requester,
  plan: RoomPlan,
  {
    roomId,
    type,
    stateKey,
    content,
  }: { roomId: string; type: string; stateKey: string; content: JsonObject },
): Promise<void> {
  if (type === "m.room.canonical_alias" && stateKey === "") {
    checkAliasContent(content);
    const before = (await plan.state(type, ""))?.pdu.content ?? {};
    const known = new Set(namedAliases(before));
    for (const alias of namedAliases(content)) {
      if (!known.has(alias)) await parts.directory.requireOf(alias, roomId);
    }
  }
  if (type === "m.room.member") {
    if (content.membership === "invite") {
      await requireReachable(parts, parseUserId(stateKey));
      await requireTakesInvites(parts, stateKey);
    }
    if (content.membership === "join") await requireGuestsWelcome(plan, requester);
  }
}

function sameContent(one: JsonObject, other: JsonObject): boolean {
  return canonicalJson(one, "lenient") === canonicalJson(other, "lenient");
}
