import { authTypesFor } from "../auth-events.ts";
import type { AuthFacts } from "../auth-rules/auth-event.ts";
import { signedThirdPartyInvites } from "../auth-rules/third-party-invite-signature.ts";
import type { Ed25519 } from "../ed25519.ts";
import type { RoomVersionRules } from "../room-versions.ts";
import type { EventNid, ResolvableEvent } from "./api.ts";
import type { LoadedEvents } from "./loaded-events.ts";

/** What the auth rules are told of an event that is checked once more. */
export type FactsOf = (event: ResolvableEvent) => AuthFacts;

/** An event of a state was accepted once, and what it takes of a join that a user has authorised stays so. */
const usual: AuthFacts = { authorisingServerSigned: true };

/**
 * Finds out what has to be found out before the auth checks: which third-party invites have signed others.
 * @param events - all that will be checked
 * @param loaded - holds all that they may be checked against
 */
export async function authFacts(
  events: Iterable<ResolvableEvent>,
  rules: RoomVersionRules,
  loaded: LoadedEvents,
  ed25519: Ed25519,
): Promise<FactsOf> {
  const tokens = new Map<ResolvableEvent, string>();
  for (const event of events) {
    const token = thirdPartyToken(event, rules);
    if (token !== undefined) tokens.set(event, token);
  }
  if (tokens.size === 0) return () => usual;

  const invites = thirdPartyInvites(loaded);
  const facts = new Map<EventNid, AuthFacts>();
  for (const [{ nid, pdu }, token] of tokens) {
    const signed = await signedThirdPartyInvites(pdu, invites.get(token) ?? [], ed25519);
    facts.set(nid, { ...usual, signedThirdPartyInvites: signed });
  }
  return ({ nid }) => facts.get(nid) ?? usual;
}

/** The token of the third-party invite that a membership event comes of. */
function thirdPartyToken({ pdu }: ResolvableEvent, rules: RoomVersionRules): string | undefined {
  if (pdu.content.third_party_invite === undefined) return undefined;
  return authTypesFor(pdu, rules).find(([type]) => type === "m.room.third_party_invite")?.[1];
}

/** By token. */
function thirdPartyInvites(loaded: LoadedEvents): ReadonlyMap<string, readonly ResolvableEvent[]> {
  const invites = new Map<string, ResolvableEvent[]>();
  for (const event of loaded.values()) {
    const { type, state_key: token } = event.pdu;
    if (type !== "m.room.third_party_invite" || token === undefined) continue;
    const others = invites.get(token);
    if (others === undefined) invites.set(token, [event]);
    else others.push(event);
  }
  return invites;
}
