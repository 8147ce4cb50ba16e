import { describe, expect, test } from "vitest";
import type { JsonValue } from "../../../src/matrix/json.ts";
import { type Person, person, RELAY, signed } from "../support/people.ts";
import { arrived, call, relay } from "../support/relay.ts";

const node = await person(1);
const stranger = await person(2);
const other = await person(9, "other.example");
const ALICE = `@alice:${node.name}`;

async function opened(...parameters: Parameters<typeof relay>) {
  const one = relay(...parameters);
  one.world.set(other.name, other);
  await one.enter(node);
  const ask = async (
    from: Person,
    method: string,
    uri: string,
    content?: JsonValue,
    over: { host?: string; destination?: string; body?: string } = {},
  ) => {
    const { authorization, body } = await signed(from, over.destination ?? RELAY, method, uri, content);
    const given = { body: over.body ?? body, headers: { authorization } };
    const answer = await one.ingress.answer(arrived(over.host ?? RELAY, method, uri, given));
    const text = (await answer?.text()) ?? "";
    return { status: answer?.status, text, json: JSON.parse(text) };
  };
  return {
    ...one,
    ask,
    sendRelay: (txnId: string, content: JsonValue = { pdus: [] }, over = {}) =>
      ask(
        other,
        "PUT",
        `/_matrix/federation/v1/send_relay/${txnId}/${encodeURIComponent(ALICE)}`,
        content,
        over,
      ),
    relayTxn: (entry: number, from = node, user = ALICE) =>
      ask(from, "GET", `/_matrix/federation/v1/relay_txn/${user}`, { entry_id: entry }),
  };
}

describe("Dendrite's relay API", () => {
  test("what is sent is fetched one by one, each acknowledged by asking with its entry_id", async () => {
    const { sendRelay, relayTxn, mailbox } = await opened();
    expect(await sendRelay("t1", { pdus: [{ n: 1 }], edus: [{ edu_type: "m.x" }] })).toMatchObject({
      status: 200,
      json: {},
    });
    expect(await sendRelay("t2", { pdus: null })).toMatchObject({ status: 200 });

    const first = await relayTxn(0);
    expect(first).toMatchObject({
      status: 200,
      json: {
        transaction: {
          transaction_id: "t1",
          origin: other.name,
          destination: node.name,
          origin_server_ts: 1_000_000,
          pdus: [{ n: 1 }],
          edus: [{ edu_type: "m.x" }],
        },
        entries_queued: true,
      },
    });
    expect((await relayTxn(0)).json).toEqual(first.json);
    const second = await relayTxn(first.json.entry_id);
    expect(second.json).toMatchObject({
      transaction: { transaction_id: "t2", pdus: [], edus: [] },
      entries_queued: true,
    });
    const last = await relayTxn(second.json.entry_id);
    expect(last).toMatchObject({ status: 200, json: { entries_queued: false } });
    expect(last.json).not.toHaveProperty("entry_id");
    expect(await mailbox.backlog(node.name)).toEqual({ entries: 0, bytes: 0 });
  });

  test("the entry is taken from the query as well, for those that cannot send a GET with a body; and by POST", async () => {
    const { ask, sendRelay } = await opened();
    for (const txnId of ["1", "2", "3"]) await sendRelay(txnId);
    const path = `/_matrix/federation/v1/relay_txn/${ALICE}`;
    const first = await ask(node, "GET", `${path}?entry_id=0`);
    const second = await ask(node, "GET", `${path}?entry_id=${first.json.entry_id}`);
    const third = await ask(node, "POST", path, { entry_id: second.json.entry_id });
    const ids = [first, second, third].map(({ json }) => json.transaction.transaction_id);
    expect(ids).toEqual(["1", "2", "3"]);
    expect((await ask(node, "GET", path)).json.transaction.transaction_id).toBe("3");
  });

  test("what came by send is given out there too, events as they were written", async () => {
    const { ingress, relayTxn } = await opened();
    const uri = "/_matrix/federation/v1/send/s1";
    const { authorization } = await signed(other, node.name, "PUT", uri, { pdus: [{ n: 1 }] });
    const body = '{ "pdus" : [{"n":1.0}] }';
    const answer = await ingress.answer(arrived(node.name, "PUT", uri, { body, headers: { authorization } }));
    expect(answer?.status).toBe(200);
    expect((await relayTxn(0)).text).toContain('"pdus":[{"n":1.0}],"edus":[]');
  });

  test("what came by send_relay is given to the node's own mailbox, whole and signed", async () => {
    const { api, sendRelay } = await opened();
    await sendRelay("t1", { pdus: [] });
    const taken = await call(api(node.name), "GET", "/_relay/v1/mailbox");
    expect(taken.json.entry).toMatchObject({
      origin: other.name,
      transaction_id: "t1",
      uri: `/_matrix/federation/v1/send_relay/t1/${encodeURIComponent(ALICE)}`,
      authorization: [expect.stringContaining(`destination="${RELAY}"`)],
    });
  });

  test.each<[what: string, content: JsonValue, over: object, status: number, errcode: string]>([
    ["51 PDUs", { pdus: Array.from({ length: 51 }, () => ({})) }, {}, 400, "M_BAD_JSON"],
    ["101 EDUs", { pdus: [], edus: Array.from({ length: 101 }, () => ({})) }, {}, 400, "M_BAD_JSON"],
    ["a body that is not JSON", {}, { body: "{" }, 400, "M_NOT_JSON"],
    ["a body that was changed", {}, { body: '{"pdus":[{}]}' }, 401, "M_UNAUTHORIZED"],
    ["another relay's signature", {}, { destination: "relay2.example" }, 401, "M_UNAUTHORIZED"],
  ])("refuses %s", async (_, content, over, status, errcode) => {
    const { sendRelay, mailbox } = await opened();
    expect(await sendRelay("t", content, over)).toMatchObject({ status, json: { errcode } });
    expect(await mailbox.backlog(node.name)).toMatchObject({ entries: 0 });
  });

  test("takes 50 PDUs and 100 EDUs, and answers 500 when it is full", async () => {
    const { sendRelay } = await opened({}, { bytes: 1 << 20, entries: 1 });
    const list = (length: number) => Array.from({ length }, () => ({}));
    expect((await sendRelay("1", { pdus: list(50), edus: list(100) })).status).toBe(200);
    expect((await sendRelay("2")).status).toBe(500);
  });

  test.each(["alice", "@alice", "%", encodeURIComponent(`@alice:${node.name}/x`)])(
    "the user ID %s is 400",
    async (user) => {
      const { ask } = await opened();
      const path = `/_matrix/federation/v1/relay_txn/${user}`;
      expect(await ask(node, "GET", path, { entry_id: 0 })).toMatchObject({ status: 400 });
    },
  );

  test.each<[what: string, content: JsonValue]>([
    ["below zero", { entry_id: -1 }],
    ["that is a text", { entry_id: "1" }],
    ["that is no integer", { entry_id: 1.5 }],
    ["that is not there, as nothing is", []],
  ])("a previous entry %s is 400", async (_, content) => {
    const { ask } = await opened();
    const path = `/_matrix/federation/v1/relay_txn/${ALICE}`;
    const answer = await ask(node, "GET", path, content);
    expect(answer).toMatchObject({ status: 400, json: { errcode: "M_BAD_JSON" } });
  });

  test("nobody but the owner fetches: not another node, nor a forger; nothing is acknowledged by them", async () => {
    const { sendRelay, relayTxn, enter, ask } = await opened();
    await enter(stranger);
    await sendRelay("t1");
    const entry = (await relayTxn(0)).json.entry_id;
    expect(await relayTxn(entry, stranger)).toMatchObject({ status: 403, json: { errcode: "M_FORBIDDEN" } });
    expect(await relayTxn(entry, { ...stranger, name: node.name })).toMatchObject({ status: 401 });
    expect(await relayTxn(entry, other)).toMatchObject({ status: 403 });
    // Its own, with the id of another's entry: that one stays.
    expect(await relayTxn(entry, stranger, `@bob:${stranger.name}`)).toMatchObject({
      status: 200,
      json: { entries_queued: false },
    });
    // A signature for one entry acknowledges no other.
    const path = `/_matrix/federation/v1/relay_txn/${ALICE}`;
    expect(await ask(node, "GET", path, { entry_id: 0 }, { body: `{"entry_id":${entry}}` })).toMatchObject({
      status: 401,
    });
    expect((await relayTxn(0)).json.entry_id).toBe(entry);
  });

  test("what is for a server that is not known here is 404", async () => {
    const { ask } = await opened();
    const path = `/_matrix/federation/v1/send_relay/t/${encodeURIComponent("@a:nobody.example")}`;
    expect(await ask(other, "PUT", path, { pdus: [] })).toMatchObject({
      status: 404,
      json: { errcode: "M_NOT_FOUND" },
    });
  });

  test.each([
    ["POST", "send_relay/t/@a:b"],
    ["PUT", "relay_txn/@a:b"],
  ])("%s %s is 405", async (method, path) => {
    const { ask } = await opened();
    expect(await ask(other, method, `/_matrix/federation/v1/${path}`, {})).toMatchObject({ status: 405 });
  });
});
