import { isJsonObject, type JsonObject } from "../../src/matrix/json.ts";
import { powerLevels } from "../../src/matrix/power-levels.ts";
import { redact } from "../../src/matrix/redaction.ts";
import type { RoomVersionRules } from "../../src/matrix/room-versions.ts";
import type { RefEvent } from "./events.ts";
import type { Intent } from "./make-event.ts";
import { type Manner, type Network, recent, type Seen } from "./network.ts";

/** What users do, and how often beside one another. */
const frequencies = {
  message: 3,
  topic: 4,
  name: 1,
  join: 4,
  leave: 2,
  invite: 2,
  kick: 2,
  ban: 4,
  unban: 2,
  knock: 1,
  power: 4,
  level: 2,
  "join-rule": 3,
  redact: 5,
  aliases: 1,
  note: 1,
  synchronise: 14,
} as const;

export type ActionKind = keyof typeof frequencies;

/** The kinds of action, each as often as it should come up. */
export const actionKinds: readonly ActionKind[] = (Object.keys(frequencies) as ActionKind[]).flatMap((kind) =>
  Array<ActionKind>(frequencies[kind]).fill(kind),
);

/** A step of somebody in the room; the integers are taken modulo what there is to choose from. */
export type Action = {
  readonly kind: ActionKind;
  /** Who acts; of `synchronise`, the server. */
  readonly user: number;
  /** Whom it concerns; of `synchronise`, the server that is asked. */
  readonly target: number;
  /** Which level, rule or event. */
  readonly value: number;
  readonly manner: Manner;
};

export const joinRules = ["public", "invite", "restricted", "knock", "knock_restricted"];
const userLevels = [50, 100, 0, 49, 75, 25];
const roomLevels: readonly (readonly [name: string, level: number])[] = [
  ["ban", 0],
  ["kick", 0],
  ["invite", 50],
  ["state_default", 0],
  ["events_default", 25],
  ["users_default", 50],
  ["redact", 0],
  ["ban", 100],
  ["users_default", 0],
];

/** Carries out an action. One that is impossible, or that an honest server would not do, does nothing. */
export function act(network: Network, action: Action): void {
  const { kind, user, target, value, manner } = action;
  if (kind === "synchronise") {
    network.synchronise(user, target, value % 4);
    return;
  }
  const sender = user % network.users.length;
  if (kind === "redact") {
    const victim = recent(
      network.events.filter((event) => isHarmlessToRedact(event, network.rules)),
      value,
    );
    if (victim === undefined) return;
    const intent = { type: "m.room.redaction", content: {}, redacts: victim.eventId };
    network.send(sender, () => intent, manner, target);
    return;
  }
  network.send(sender, (seen) => intentOf(kind, action, network, seen), manner, value);
}

/**
 * Whether a redaction takes nothing that the auth rules look at. Otherwise what becomes of later events would hang on
 * when the redaction arrives, and the spec does not say what a server should then do. Redactions themselves lose their
 * target in some room versions.
 */
function isHarmlessToRedact({ pdu }: RefEvent, rules: RoomVersionRules): boolean {
  if (["m.room.create", "m.room.power_levels", "m.room.redaction"].includes(pdu.type)) return false;
  const { content } = redact(pdu, rules);
  const via = "join_authorised_via_users_server";
  return isJsonObject(content) && content[via] === pdu.content[via];
}

function intentOf(
  kind: Exclude<ActionKind, "synchronise" | "redact">,
  { user, target, value }: Action,
  network: Network,
  seen: Seen,
): Intent {
  const senderId = network.users[user % network.users.length]!;
  const targetId = network.users[target % network.users.length]!;
  const state = (type: string, content: JsonObject, key = ""): Intent => ({ type, state_key: key, content });
  const member = (membership: string, userId: string, content: JsonObject = {}) =>
    state("m.room.member", { membership, ...content }, userId);
  switch (kind) {
    case "message":
      return { type: "m.room.message", content: { msgtype: "m.text", body: `${network.events.length}` } };
    case "topic":
      return state("m.room.topic", { topic: `${value}` });
    case "name":
      return state("m.room.name", { name: `${value}` });
    case "join":
      return member("join", senderId, vouchedFor(senderId, target, network, seen));
    case "leave":
      return member("leave", senderId);
    case "invite":
    case "ban":
      return member(kind, targetId);
    case "kick":
    case "unban":
      return member("leave", targetId);
    case "knock":
      return member("knock", senderId);
    case "power":
      return state("m.room.power_levels", withUserLevel(seen, targetId, pick(userLevels, value)));
    case "level": {
      const [name, level] = pick(roomLevels, value);
      return state("m.room.power_levels", { ...seen("m.room.power_levels", ""), [name]: level });
    }
    case "join-rule":
      return state("m.room.join_rules", { join_rule: pick(joinRules, value) });
    case "aliases":
      return state("m.room.aliases", { aliases: [`#${value}:s`] }, network.serverName(user));
    case "note":
      // State under a user's id, which is that user's own.
      return state("org.example.note", { note: `${value}` }, targetId);
  }
}

function pick<T>(list: readonly T[], index: number): T {
  return list[index % list.length]!;
}

function withUserLevel(seen: Seen, userId: string, level: number): JsonObject {
  const content = seen("m.room.power_levels", "") ?? {};
  return { ...content, users: { ...(isJsonObject(content.users) && content.users), [userId]: level } };
}

/** Where a join needs somebody who vouches for it: the first, from the target on, who may. */
function vouchedFor(senderId: string, target: number, network: Network, seen: Seen): JsonObject {
  const rule = seen("m.room.join_rules", "")?.join_rule;
  const isRestricted = rule === "restricted" || rule === "knock_restricted";
  const membershipOf = (userId: string) => seen("m.room.member", userId)?.membership;
  const isInside = ["invite", "join"].some((membership) => membership === membershipOf(senderId));
  if (!network.rules.restrictedJoins || !isRestricted || isInside) return {};
  const create = network.events[0]?.pdu;
  const levels = powerLevels(seen("m.room.power_levels", ""), create, network.rules);
  const inTurn = network.users.map((_, index) => pick(network.users, target + index));
  const via = inTurn.find(
    (userId) => membershipOf(userId) === "join" && levels.userLevel(userId) >= levels.level("invite"),
  );
  return { join_authorised_via_users_server: via ?? inTurn[0] };
}
