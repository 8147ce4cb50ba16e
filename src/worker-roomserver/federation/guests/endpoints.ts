import * as v from "valibot";
import { strippedStateTypes } from "../../../matrix/stripped-state.ts";
import type { FederationContext } from "../context.ts";
import { type Endpoint, endpoint, WrittenJson } from "../door/endpoint.ts";
import { readFirstInvite, readInvite, takeInvite } from "./invite.ts";
import { joinAnswer } from "./join-answer.ts";
import { make } from "./make.ts";
import { takeSent } from "./send.ts";
import { exchangeBody, exchangeThirdPartyInvite } from "./third-party-invite.ts";

const ofUser = v.object({ roomId: v.string(), userId: v.string() });
const ofEvent = v.object({ roomId: v.string(), eventId: v.string() });
const someVersions = v.pipe(
  v.union([v.string(), v.array(v.string())]),
  v.transform((versions) => [versions].flat()),
);

/**
 * Users of other servers come into rooms that live here, ask to, or leave them.
 * @see https://spec.matrix.org/v1.19/server-server-api/#joining-rooms
 */
export function guestEndpoints(context: FederationContext): Endpoint[] {
  return [...joins(context), ...knocks(context), ...leaves(context), ...invites(context)];
}

function joins(context: FederationContext): Endpoint[] {
  return [
    endpoint(
      {
        method: "GET",
        path: "/_matrix/federation/v1/make_join/{roomId}/{userId}",
        auth: "server",
        params: ofUser,
        query: v.object({ ver: v.optional(someVersions, ["1"]) }),
      },
      ({ origin, params, query }) => make(context, origin, "join", params, query.ver),
    ),
    endpoint(
      {
        method: "PUT",
        path: "/_matrix/federation/v2/send_join/{roomId}/{eventId}",
        auth: "server",
        params: ofEvent,
        query: v.object({ omit_members: v.optional(v.string()) }),
      },
      async ({ origin, params, query, text }) => {
        const event = await takeSent(context, { ...params, origin, membership: "join" }, text);
        const omitMembers = query.omit_members === "true";
        return joinAnswer(context, event, { omitMembers, isFirstForm: false });
      },
    ),
    endpoint(
      {
        method: "PUT",
        path: "/_matrix/federation/v1/send_join/{roomId}/{eventId}",
        auth: "server",
        params: ofEvent,
      },
      async ({ origin, params, text }) => {
        const event = await takeSent(context, { ...params, origin, membership: "join" }, text);
        return joinAnswer(context, event, { omitMembers: false, isFirstForm: true });
      },
    ),
  ];
}

function knocks(context: FederationContext): Endpoint[] {
  return [
    endpoint(
      {
        method: "GET",
        path: "/_matrix/federation/v1/make_knock/{roomId}/{userId}",
        auth: "server",
        params: ofUser,
        query: v.object({ ver: someVersions }),
      },
      ({ origin, params, query }) => make(context, origin, "knock", params, query.ver),
    ),
    endpoint(
      {
        method: "PUT",
        path: "/_matrix/federation/v1/send_knock/{roomId}/{eventId}",
        auth: "server",
        params: ofEvent,
      },
      async ({ origin, params, text }) => {
        await takeSent(context, { ...params, origin, membership: "knock" }, text);
        const keys = strippedStateTypes.map((type) => [type, ""] as const);
        const { state } = await context.roomQueries.latest(params.roomId, keys);
        return { knock_room_state: state.map(({ pdu }) => pdu) };
      },
    ),
  ];
}

function leaves(context: FederationContext): Endpoint[] {
  const description = { method: "PUT", auth: "server", params: ofEvent } as const;
  return [
    endpoint(
      {
        method: "GET",
        path: "/_matrix/federation/v1/make_leave/{roomId}/{userId}",
        auth: "server",
        params: ofUser,
      },
      ({ origin, params }) => make(context, origin, "leave", params),
    ),
    endpoint(
      { ...description, path: "/_matrix/federation/v2/send_leave/{roomId}/{eventId}" },
      async ({ origin, params, text }) => {
        await takeSent(context, { ...params, origin, membership: "leave" }, text);
        return {};
      },
    ),
    endpoint(
      { ...description, path: "/_matrix/federation/v1/send_leave/{roomId}/{eventId}" },
      async ({ origin, params, text }) => {
        await takeSent(context, { ...params, origin, membership: "leave" }, text);
        return new WrittenJson(["[200,{}]"]);
      },
    ),
  ];
}

/** @see https://spec.matrix.org/v1.19/server-server-api/#inviting-to-a-room */
function invites(context: FederationContext): Endpoint[] {
  const description = { method: "PUT", auth: "server", params: ofEvent } as const;
  return [
    endpoint(
      { ...description, path: "/_matrix/federation/v2/invite/{roomId}/{eventId}" },
      async ({ origin, params, text }) => {
        const { pdu } = await takeInvite(context, { ...params, origin, ...readInvite(text) });
        return { event: pdu };
      },
    ),
    endpoint(
      { ...description, path: "/_matrix/federation/v1/invite/{roomId}/{eventId}" },
      async ({ origin, params, text }) => {
        const { json } = await takeInvite(context, { ...params, origin, ...readFirstInvite(text) });
        return new WrittenJson([`[200,{"event":${json}}]`]);
      },
    ),
    endpoint(
      {
        method: "PUT",
        path: "/_matrix/federation/v1/exchange_third_party_invite/{roomId}",
        auth: "server",
        params: v.object({ roomId: v.string() }),
        body: exchangeBody,
      },
      ({ origin, params, body }) => exchangeThirdPartyInvite(context, { origin, ...params }, body),
    ),
  ];
}
