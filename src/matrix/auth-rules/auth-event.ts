import type { Pdu } from "../pdu.ts";

/** An event with its id, which from v3 on is not part of the PDU. */
export type AuthEvent = { readonly eventId: string; readonly pdu: Pdu };

/**
 * The state that an event is checked against; none of it may be rejected. It holds the create event in every
 * version, from v12 on too, where `auth_events` does not name it.
 */
export type AuthState = (type: string, stateKey: string) => AuthEvent | undefined;

/**
 * What was found out beforehand because it takes an asynchronous signature check. What is not stated counts
 * as not found, and the event as rejected.
 */
export type AuthFacts = {
  /**
   * The event is validly signed by the server of the user in `content.join_authorised_via_users_server`.
   * This does not depend on state: an event that was accepted once had it.
   */
  readonly authorisingServerSigned?: boolean;
  /**
   * The ids of those `m.room.third_party_invite` events one of whose public keys has signed this event's
   * `content.third_party_invite.signed` (see the function `signedThirdPartyInvites`).
   */
  readonly signedThirdPartyInvites?: ReadonlySet<string>;
};
