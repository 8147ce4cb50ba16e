import fc from "fast-check";
import { expect, test } from "vitest";
import { isJsonObject, type JsonObject, type JsonValue } from "../../../../src/matrix/json.ts";
import { json } from "../../support/room.ts";
import { GuestRoom } from "./guest-room.ts";
import { hosting } from "./guest-server.ts";

/** Something in a body that a stranger has put in place of what belongs there. */
type Tampering = { at: number; with: JsonValue | undefined };

const odd = fc.oneof(
  fc.jsonValue() as fc.Arbitrary<JsonValue>,
  fc.constantFrom<JsonValue | undefined>(
    undefined,
    null,
    "",
    "$",
    "@a:b",
    "!a:b",
    1e300,
    -1,
    [],
    {},
    "__proto__",
    "1",
    "12",
  ),
);
const tampering: fc.Arbitrary<Tampering> = fc.record({ at: fc.nat(), with: odd });

/** All places of a value at which there is something, the value itself among them. */
function places(value: JsonValue, path: string[] = []): string[][] {
  const inner = isJsonObject(value)
    ? Object.entries(value)
    : Array.isArray(value)
      ? value.map((one, i) => [String(i), one] as const)
      : [];
  return [path, ...inner.flatMap(([key, one]) => places(one as JsonValue, [...path, key]))];
}

function tampered(value: JsonValue, path: readonly string[], by: JsonValue | undefined): JsonValue {
  const [key, ...rest] = path;
  if (key === undefined) return by ?? null;
  const copy = structuredClone(value) as { [key: string]: JsonValue };
  if (rest.length === 0 && by === undefined) delete copy[key];
  else copy[key] = tampered(copy[key]!, rest, by);
  return copy as JsonValue;
}

test("whatever a stranger sends is answered by an error, and nothing is stored that cannot be read", async () => {
  const { node, alice, guests, create } = await hosting();
  const bodies: { uri: string; body: JsonObject }[] = [];
  for (const version of ["1", "11", "12"]) {
    const room = await GuestRoom.of(guests, version);
    const invite = await room.invite(alice.userId, { displayname: "Alice" });
    const state = room.told.map(({ pdu }) => pdu);
    const place = `${encodeURIComponent(room.roomId)}/${encodeURIComponent(invite.eventId)}`;
    bodies.push({
      uri: `/_matrix/federation/v2/invite/${place}`,
      body: { room_version: version, event: invite.pdu, invite_room_state: state },
    });
    if (version === "1") {
      const body = { ...invite.pdu, unsigned: { invite_room_state: state } };
      bodies.push({ uri: `/_matrix/federation/v1/invite/${place}`, body });
    }
    const roomId = await create({ room_version: version });
    const join = await guests.made("join", roomId, guests.user("bob"));
    const where = `${encodeURIComponent(roomId)}/${encodeURIComponent(join.eventId)}`;
    for (const endpoint of [
      "v1/send_join",
      "v2/send_join",
      "v1/send_knock",
      "v2/send_leave",
      "v1/send_leave",
    ]) {
      bodies.push({ uri: `/_matrix/federation/${endpoint}/${where}`, body: join.pdu });
    }
    const exchange = {
      type: "m.room.member",
      room_id: roomId,
      sender: alice.userId,
      state_key: guests.user("bob"),
    };
    bodies.push({
      uri: `/_matrix/federation/v1/exchange_third_party_invite/${encodeURIComponent(roomId)}`,
      body: {
        ...exchange,
        content: {
          membership: "invite",
          third_party_invite: { signed: { mxid: guests.user("bob"), token: "a", signatures: {} } },
        },
      },
    });
  }
  const { storage, sync } = node.node;
  const query = { fullState: true, setPresence: "offline", timeout: 0, stateSection: "state" } as const;
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(tampering, { minLength: 1, maxLength: 3 }),
      async (which, changes) => {
        const { uri, body } = bodies[which % bodies.length]!;
        let sent: JsonValue = body;
        for (const { at, with: by } of changes) {
          const all = places(sent);
          sent = tampered(sent, all[at % all.length]!, by);
        }
        fc.pre(isJsonObject(sent));
        const before = storage.position;
        const { status, json: answer } = await guests.ask("PUT", uri, sent as JsonObject);
        if (status !== 200) {
          expect({ uri, sent, status, answer }).toMatchObject({
            status: expect.toSatisfy((code: number) => code >= 400 && code < 500),
            answer: { errcode: expect.stringMatching(/^M_/), error: expect.any(String) },
          });
          expect(storage.position).toBe(before);
        }
        json(await sync.sync(alice, query, crypto.randomUUID()));
      },
    ),
    { numRuns: 150 },
  );
  const next = await node.reopen();
  json(await next.node.sync.sync(alice, query, crypto.randomUUID()));
});
