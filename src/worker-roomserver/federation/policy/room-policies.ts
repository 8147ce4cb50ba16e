import { MatrixError, unknown } from "../../../matrix/errors.ts";
import type { Pdu } from "../../../matrix/pdu.ts";
import {
  needsRecommendation,
  POLICY_KEY_ID,
  type PolicyServer,
  policyServerIn,
  withRecommendation,
} from "../../../matrix/policy-server.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import { type RoomVersionRules, roomVersionRules } from "../../../matrix/room-versions.ts";
import { verifyEventSignature } from "../../../matrix/signing.ts";
import { FederationError } from "../api.ts";
import type { FederationContext } from "../context.ts";
import { asMatrixError } from "../queries/failures.ts";
import type { PolicyVerdict, RoomPolicies } from "./api.ts";

/** The room waits meanwhile, with all who want to send to it. Milliseconds. */
const TIMEOUT_MS = 8_000;
const MAX_BYTES = 64 * 1024;

type Context = Pick<FederationContext, "client" | "ed25519" | "roomQueries">;
type Asked = { pdu: Pdu; rules: RoomVersionRules; server: PolicyServer; evenBackedOff: "yes" | "no" };

/** @see RoomPolicies */
export function roomPolicies({ client, ed25519, roomQueries }: Context): RoomPolicies {
  const isSigned = (pdu: Pdu, rules: RoomVersionRules, { via, publicKey }: PolicyServer) =>
    verifyEventSignature(pdu, rules, via, POLICY_KEY_ID, publicKey, ed25519);

  /** @throws FederationError, MatrixError */
  async function asked({ pdu, rules, server, evenBackedOff }: Asked): Promise<Pdu> {
    const { json } = await client.request({
      ...{ method: "POST", destination: server.via, uri: "/_matrix/policy/v1/sign", content: pdu },
      ...{ timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES, evenBackedOff },
    });
    const signed = withRecommendation(pdu, server.via, json);
    if (signed !== undefined && (await isSigned(signed, rules, server))) return signed;
    throw unknown(`${server.via} has not signed the event with the key that the room names.`, 502);
  }

  async function serverOf(roomId: string) {
    const { state, roomVersion } = await roomQueries.latest(roomId, [["m.room.policy", ""]]);
    const server = policyServerIn(state[0]?.pdu.content);
    // A room cannot make a server its policy server that has nobody in it.
    if (server === undefined || !(await roomQueries.isServerIn(roomId, server.via))) return undefined;
    return { server, rules: rulesOf(roomVersion) };
  }

  return {
    async sign(pdu, roomVersion, server) {
      try {
        return await asked({ pdu, rules: rulesOf(roomVersion), server, evenBackedOff: "yes" });
      } catch (error) {
        throw refusalOf(error);
      }
    },

    async isAllowed(roomId: string, { pdu }: ReceivedEvent): Promise<PolicyVerdict> {
      if (!needsRecommendation(pdu)) return { isAllowed: true };
      const found = await serverOf(roomId);
      if (found === undefined || (await isSigned(pdu, found.rules, found.server))) return { isAllowed: true };
      try {
        await asked({ pdu, ...found, evenBackedOff: "no" });
        return { isAllowed: true };
      } catch (error) {
        const { message } = refusalOf(error);
        return { isAllowed: false, why: `The room's policy server does not recommend it: ${message}` };
      }
    },
  };
}

const rulesOf = (version: string) => roomVersionRules(version)!;

/** The policy server's own words, but for those that would say something of the client's session or of this server. */
function refusalOf(error: unknown): MatrixError {
  if (!(error instanceof FederationError) || error.error === undefined)
    return asMatrixError(error, NO_SERVER);
  const { status = 400, error: said, destination } = error;
  if (![400, 403, 404, 429].includes(status) || said.errcode === "M_UNRECOGNIZED") {
    return unknown(`${destination}, which the room has its events recommended by, does not do so.`, 502);
  }
  const { errcode, error: words, ...extra } = said;
  return new MatrixError(errcode, status, typeof words === "string" ? words : "It refuses the event.", extra);
}

const NO_SERVER = "The policy server does not know the room.";
