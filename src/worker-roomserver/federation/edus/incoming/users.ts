import * as v from "valibot";
import { jsonObject, jsonRecord, objectOf } from "../../../../door/schemas.ts";
import { domainOf } from "../../../../matrix/domain.ts";
import type { HeardPresence } from "../../../presence/api.ts";
import type { TakeContent } from "./parts.ts";

/** Users of one EDU whose presence is looked at; Synapse names up to 50. */
const MOST_PRESENCES = 500;
/** Characters of a status that are kept. */
const MAX_STATUS = 1_000;

const presenceContent = objectOf({ push: v.array(v.unknown()) });
const presence = objectOf({
  user_id: v.string(),
  presence: v.picklist(["online", "unavailable", "offline"]),
  status_msg: v.nullish(v.string(), ""),
  last_active_ago: v.optional(v.pipe(v.number(), v.finite(), v.minValue(0))),
  currently_active: v.optional(v.boolean(), false),
});

/** @see https://spec.matrix.org/v1.19/server-server-api/#presence */
export const takePresence: TakeContent = async (parts, origin, content) => {
  const updates = new Map<string, HeardPresence>();
  const now = parts.now();
  for (const json of v.parse(presenceContent, content).push.slice(0, MOST_PRESENCES)) {
    const { success, output } = v.safeParse(presence, json);
    if (!success || domainOf(output.user_id) !== origin) continue;
    if (!(await parts.servers.isSharedHere(output.user_id))) continue;
    updates.set(output.user_id, {
      presence: output.presence,
      currentlyActive: output.presence === "online" && output.currently_active,
      statusMsg: output.status_msg.slice(0, MAX_STATUS),
      lastActiveTs: output.last_active_ago === undefined ? 0 : Math.max(0, now - output.last_active_ago),
    });
  }
  if (updates.size > 0) await parts.presence.hear(updates);
};

const messageContent = objectOf({
  sender: v.string(),
  type: v.string(),
  message_id: v.string(),
  messages: jsonRecord(jsonRecord(jsonObject)),
});

/** @see https://spec.matrix.org/v1.19/server-server-api/#send-to-device-messaging */
export const takeMessages: TakeContent = async (parts, origin, content) => {
  const { sender, type, message_id: messageId, messages } = v.parse(messageContent, content);
  if (domainOf(sender) !== origin) return;
  await parts.toDevice.receive(origin, { sender, type, messageId, messages });
};
