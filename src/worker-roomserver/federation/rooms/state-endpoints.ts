import * as v from "valibot";
import { roomParams } from "../../../door/schemas.ts";
import { KeyedLock } from "../../node/keyed-lock.ts";
import type { FederationContext } from "../context.ts";
import { type Endpoint, endpoint, WrittenJson } from "../door/endpoint.ts";
import { requireInRoom } from "./asker.ts";
import { eventsInPieces } from "./event-texts.ts";

const atEvent = v.object({ event_id: v.string() });

/**
 * A room's state at an event, and what authorises events. Nothing is redacted here: whoever judges events needs what they
 * go by as it is. What one server asks is found out one after the other, as each may take a large state.
 */
export function stateEndpoints(context: FederationContext): Endpoint[] {
  const { roomQueries } = context;
  const turns = new KeyedLock<string>();

  const inTurn = async <T>(origin: string, roomId: string, find: () => Promise<T>): Promise<T> => {
    await requireInRoom(context, origin, roomId);
    return turns.run(origin, find);
  };

  return [
    /** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1stateroomid */
    endpoint(
      {
        method: "GET",
        path: "/_matrix/federation/v1/state/{roomId}",
        auth: "server",
        params: roomParams,
        query: atEvent,
      },
      async ({ origin, params: { roomId }, query }) => {
        const find = () => roomQueries.stateBefore(roomId, query.event_id);
        const { pdus, authChain } = await inTurn(origin, roomId, find);
        return new WrittenJson(
          (async function* () {
            yield '{"pdus":';
            yield* eventsInPieces(roomQueries, pdus);
            yield ',"auth_chain":';
            yield* eventsInPieces(roomQueries, authChain);
            yield "}";
          })(),
        );
      },
    ),
    /** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1state_idsroomid */
    endpoint(
      {
        method: "GET",
        path: "/_matrix/federation/v1/state_ids/{roomId}",
        auth: "server",
        params: roomParams,
        query: atEvent,
      },
      async ({ origin, params: { roomId }, query }) => {
        const find = () => roomQueries.stateIdsAt(roomId, query.event_id);
        const { pduIds, authChainIds } = await inTurn(origin, roomId, find);
        return { pdu_ids: pduIds, auth_chain_ids: authChainIds };
      },
    ),
    /** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1event_authroomideventid */
    endpoint(
      {
        method: "GET",
        path: "/_matrix/federation/v1/event_auth/{roomId}/{eventId}",
        auth: "server",
        params: v.object({ roomId: v.string(), eventId: v.string() }),
      },
      async ({ origin, params: { roomId, eventId } }) => {
        const chain = await inTurn(origin, roomId, () => roomQueries.authChain(roomId, [eventId]));
        return new WrittenJson(
          (async function* () {
            yield '{"auth_chain":';
            yield* eventsInPieces(
              roomQueries,
              chain.map(({ nid }) => nid),
            );
            yield "}";
          })(),
        );
      },
    ),
  ];
}
