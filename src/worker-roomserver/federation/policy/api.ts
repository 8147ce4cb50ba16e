import type { Pdu } from "../../../matrix/pdu.ts";
import type { PolicyServer } from "../../../matrix/policy-server.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";

/** What the room asks for its own events. */
export interface PolicySigner {
  /**
   * Has a policy server sign an event, which goes out with that signature. Takes some seconds at most.
   * @returns a new object; the event's id and its other signatures are the same
   * @throws MatrixError as the policy server refuses it; M_UNKNOWN (502, 504) where it is not reached, or has signed with
   *   another key than the room names: the event is not to be sent
   * @see https://spec.matrix.org/v1.19/server-server-api/#asking-for-a-policy-server-signature-on-an-event
   */
  sign(pdu: Pdu, roomVersion: string, policyServer: PolicyServer): Promise<Pdu>;
}

/** `isAllowed` false: the event is to be soft-failed (`unwelcome` of RoomInput.receive). */
export type PolicyVerdict = { isAllowed: true } | { isAllowed: false; why: string };

/** What whoever takes in live events of other servers asks. */
export interface RoomPolicies extends PolicySigner {
  /**
   * Whether an event is recommended, as far as the room wants that: by its signature, or by asking the policy server
   * anew. Fails never for what a server says. Costs a look at the room's state where there is no policy server; else one
   * verification, and for events without a good signature a request.
   * @throws MatrixError M_NOT_FOUND (404) for a room that is not known here
   * @see https://spec.matrix.org/v1.19/server-server-api/#validating-policy-server-signatures
   */
  isAllowed(roomId: string, event: ReceivedEvent): Promise<PolicyVerdict>;
}
