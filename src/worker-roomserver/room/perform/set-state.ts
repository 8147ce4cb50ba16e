import { checkAliasContent, namedAliases } from "../../../matrix/canonical-alias.ts";
import { canonicalJson } from "../../../matrix/canonical-json.ts";
import { parseUserId, serverNameOf } from "../../../matrix/identifiers.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import { later } from "../../node/later.ts";
import type { Requester, RequestId } from "../../node/requester.ts";
import type { RoomParts } from "../parts.ts";
import type { RoomPlan } from "../plan.ts";
import { aliasesElsewhere } from "./aliases-elsewhere.ts";
import { requireTakesInvites } from "./invite-permission.ts";
import { requireAccount, requireGuestsWelcome } from "./membership.ts";

const elsewhere = later(() => import("./invite-elsewhere.ts"));

type SettingState = {
  roomId: string;
  type: string;
  stateKey: string;
  content: JsonObject;
  ts?: number | undefined;
};

/**
 * `PUT /rooms/{roomId}/state/{eventType}/{stateKey}`
 * @throws MatrixError M_BAD_ALIAS (400), M_INVALID_PARAM (400) for an alias that is new in `m.room.canonical_alias`, and
 *   M_UNKNOWN (502, 504) where its server is not reached; what `RoomPlan` throws
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
    if (isInviteOfOther(parts, state)) {
      const target = parseUserId(state.stateKey);
      const invite = { roomId: state.roomId, target, content: state.content };
      const invited = await (await elsewhere()).inviteElsewhere(parts, requester, invite);
      return parts.storage.commit((write) => record(write, { event_id: invited }));
    }
    const aliasesThere = namesAliases(state)
      ? await aliasesElsewhere(parts, state.roomId, requester.userId, state.content)
      : noAliases;
    const eventId = await parts.writer.write(
      state.roomId,
      async (plan) => {
        const present = await plan.state(state.type, state.stateKey);
        if (present?.pdu.sender === requester.userId && sameContent(present.pdu.content, state.content)) {
          return present.eventId;
        }
        await requireStateSense(parts, requester, plan, state, aliasesThere);
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

/** Whether a user of another server is invited, which has to sign that. */
function isInviteOfOther({ author }: RoomParts, { type, stateKey, content }: SettingState): boolean {
  if (type !== "m.room.member" || content.membership !== "invite") return false;
  return serverNameOf(parseUserId(stateKey)) !== author.serverName;
}

const noAliases: ReadonlyMap<string, string> = new Map();

const namesAliases = ({ type, stateKey }: SettingState) =>
  type === "m.room.canonical_alias" && stateKey === "";

/** What the auth rules let pass, and is refused all the same. */
async function requireStateSense(
  parts: RoomParts,
  requester: Requester,
  plan: RoomPlan,
  state: SettingState,
  aliasesThere: ReadonlyMap<string, string>,
): Promise<void> {
  const { roomId, type, stateKey, content } = state;
  if (namesAliases(state)) {
    checkAliasContent(content);
    const before = (await plan.state(type, ""))?.pdu.content ?? {};
    const known = new Set(namedAliases(before));
    for (const alias of namedAliases(content)) {
      if (!known.has(alias)) await parts.directory.requireOf(alias, roomId, aliasesThere);
    }
  }
  if (type === "m.room.member") {
    if (content.membership === "invite") {
      await requireAccount(parts, parseUserId(stateKey));
      await requireTakesInvites(parts, stateKey);
    }
    if (content.membership === "join") await requireGuestsWelcome(plan, requester);
  }
}

function sameContent(one: JsonObject, other: JsonObject): boolean {
  return canonicalJson(one, "lenient") === canonicalJson(other, "lenient");
}
