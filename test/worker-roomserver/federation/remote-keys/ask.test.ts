import { describe, expect, test, vi } from "vitest";
import { nobleEd25519 } from "../../../../src/matrix/ed25519-noble.ts";
import type { JsonObject, JsonValue } from "../../../../src/matrix/json.ts";
import {
  FederationError,
  type FederationFailure,
  type FederationRequest,
} from "../../../../src/worker-roomserver/federation/api.ts";
import { claimRemote } from "../../../../src/worker-roomserver/federation/remote-keys/claim.ts";
import { RemoteLists } from "../../../../src/worker-roomserver/federation/remote-keys/lists.ts";
import { queryRemote } from "../../../../src/worker-roomserver/federation/remote-keys/query.ts";
import { Resync } from "../../../../src/worker-roomserver/federation/remote-keys/resync.ts";
import { crossSigner } from "../../support/crypto-device.ts";
import { type TestStorage, testStorage } from "../../support/storage.ts";
import { testTimers } from "../support/timers.ts";

const bob = "@bob:far";
const eve = "@eve:bad";
const ed25519 = nobleEd25519();

type Answerer = (request: FederationRequest) => Promise<JsonValue>;

/** Other servers, by their names; one that is not among them is not there. */
function clientTo(servers: { [name: string]: Answerer }) {
  const asked: FederationRequest[] = [];
  return {
    asked,
    client: {
      request: async (request: FederationRequest) => {
        asked.push(request);
        const answer = servers[request.destination];
        if (answer === undefined) throw new FederationError("unreachable", request.destination, "Not there.");
        const json = await answer(request);
        return { status: 200, text: JSON.stringify(json), json };
      },
    },
  };
}

function listsOver(storage: TestStorage, isShared: (userId: string) => Promise<boolean>) {
  const keys = {
    tellChanged: (write: Parameters<Parameters<TestStorage["commit"]>[0]>[0], user: number) => {
      write.append({ topic: "deviceList", user, detail: "signing" });
    },
  };
  return new RemoteLists({ storage, ed25519, isShared, keys });
}

const deviceOf = (userId: string, deviceId: string, more: JsonObject = {}): JsonObject => ({
  ...{ user_id: userId, device_id: deviceId, keys: {}, algorithms: [] },
  ...more,
});

describe("a query", () => {
  async function asking(servers: { [name: string]: Answerer }, isShared = false) {
    const to = clientTo(servers);
    const shared = async () => isShared;
    const lists = listsOver(await testStorage(), shared);
    const query = (wanted: { [userId: string]: string[] }) =>
      queryRemote({ client: to.client, lists, ed25519, isShared: shared, now: Date.now }, wanted, 5_000);
    return { ...to, lists, query };
  }

  test("believes a server of its own users alone, and of no device what is another's", async () => {
    const keys = await crossSigner(bob);
    const lies: Answerer = async () => ({
      device_keys: {
        [eve]: {
          A: deviceOf(eve, "A", { unsigned: { device_display_name: "Phone", x: 1 } }),
          B: deviceOf(eve, "C"),
          D: deviceOf(bob, "D"),
          E: 7,
        },
        [bob]: { A: deviceOf(bob, "A") },
      },
      master_keys: { [bob]: keys.body.master_key, [eve]: keys.body.master_key },
      self_signing_keys: { [bob]: keys.body.self_signing_key },
    });
    const { query } = await asking({ bad: lies, far: async () => ({}) });
    const { users, failures } = await query({ [eve]: [], [bob]: [] });
    expect(failures).toEqual({});
    expect([...users]).toEqual([
      [eve, { devices: [{ deviceId: "A", displayName: "Phone", keys: deviceOf(eve, "A") }] }],
    ]);
  });

  test("asks all servers at once, and one that is slow or is not there takes nothing from the others", async () => {
    let answer!: (json: JsonValue) => void;
    const slow: Answerer = () => new Promise((resolve) => (answer = resolve));
    const far: Answerer = async () => ({ device_keys: { [bob]: { A: deviceOf(bob, "A") } } });
    const { query, asked } = await asking({ slow, far });
    const found = query({ "@s:slow": [], "@x:gone": [], [bob]: ["A"] });
    await vi.waitFor(() =>
      expect(asked.map(({ destination }) => destination)).toEqual(["slow", "gone", "far"]),
    );
    expect(asked.every(({ timeoutMs }) => timeoutMs! <= 5_000)).toBe(true);
    answer([]);
    const { users, failures } = await found;
    expect([...users.keys()]).toEqual([bob]);
    expect(failures).toEqual({
      gone: expect.objectContaining({ errcode: "M_UNKNOWN" }),
      slow: expect.objectContaining({ errcode: "M_UNKNOWN" }),
    });
  });

  test("whose answer is kept asks for all devices, and gives those that were wanted", async () => {
    const far: Answerer = async () => ({
      device_keys: { [bob]: { A: deviceOf(bob, "A"), B: deviceOf(bob, "B") } },
    });
    const { query, asked } = await asking({ far }, true);
    const first = await query({ [bob]: ["A"] });
    expect(first.users.get(bob)?.devices.map(({ deviceId }) => deviceId)).toEqual(["A"]);
    expect(asked[0]?.content).toEqual({ device_keys: { [bob]: [] } });
    const second = await query({ [bob]: ["B"] });
    expect(second.users.get(bob)?.devices.map(({ deviceId }) => deviceId)).toEqual(["B"]);
    expect(asked).toHaveLength(1);
  });
});

test("a claim takes one key of each device, of the algorithm that was wanted, and of nobody else", async () => {
  const key = { key: "k", signatures: {} };
  const far: Answerer = async () => ({
    one_time_keys: {
      [bob]: {
        A: { "other:1": key, "signed_curve25519:2": key, "signed_curve25519:3": key },
        B: { "signed_curve25519:1": 7 },
        C: { "signed_curve25519:1": key },
      },
      [eve]: { A: { "signed_curve25519:1": key } },
    },
  });
  const { client, asked } = clientTo({ far });
  const wanted = {
    [bob]: { A: "signed_curve25519", B: "signed_curve25519" },
    [eve]: { A: "signed_curve25519" },
  };
  const { one_time_keys, failures } = await claimRemote({ client, now: Date.now }, wanted, 1_000);
  expect(one_time_keys).toEqual({ [bob]: { A: { "signed_curve25519:2": key } } });
  expect(Object.keys(failures)).toEqual(["bad"]);
  expect(asked.map(({ content }) => content)).toEqual([
    { one_time_keys: { [bob]: wanted[bob] } },
    { one_time_keys: { [eve]: wanted[eve] } },
  ]);
});

describe("a list that is stale", () => {
  async function stale(servers: { [name: string]: Answerer }, users = [bob], isBackedOff = true) {
    const storage = await testStorage();
    const lists = listsOver(storage, async () => true);
    const to = clientTo(servers);
    let ready: (server: string) => void = () => undefined;
    const onReady = (call: typeof ready) => {
      ready = call;
      return () => undefined;
    };
    const timers = testTimers();
    const resync = new Resync({
      ...{ storage, lists, ed25519, client: to.client, later: timers.later },
      destinations: { onReady, isReady: async () => !isBackedOff },
    });
    for (const userId of users) {
      const { asked, end } = lists.asking(userId);
      await lists.keep(userId, { devices: new Map(), streamId: 1 }, asked);
      end();
    }
    const update = (userId: string, streamId = 9) =>
      lists.deviceUpdated(userId, { deviceId: "A", streamId, previous: [], device: "deleted" });
    const rows = async () =>
      (await storage.getAll("remoteDeviceLists")).map((row) => [row.userId, row.stale, row.streamId]);
    return { ...to, lists, resync, timers, update, rows, ready: (server: string) => ready(server) };
  }

  const answering =
    (streamId: number): Answerer =>
    async ({ uri }) => {
      const userId = decodeURIComponent(uri.slice(uri.lastIndexOf("/") + 1));
      return { user_id: userId, stream_id: streamId, devices: [] };
    };

  test("is asked for at once, and once more for what came meanwhile", async () => {
    let answer: (() => void) | undefined;
    let streamId = 10;
    const far: Answerer = async (request) => {
      const said = await answering(streamId)(request);
      await new Promise<void>((resolve) => (answer = resolve));
      return said;
    };
    const { update, rows, asked } = await stale({ far });
    await update(bob);
    await vi.waitFor(() => expect(answer).toBeDefined());
    await update(bob, 20);
    streamId = 20;
    answer!();
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    expect(await rows()).toEqual([[bob, "far", 1]]);
    await vi.waitFor(() => {
      answer!();
      return vi.waitFor(async () => expect(await rows()).toEqual([[bob, undefined, 20]]));
    });
  });

  test.each<[string, FederationFailure, number | undefined]>([
    ["is not there", "unreachable", undefined],
    ["takes too long", "timeout", undefined],
    ["is backed off from", "backingOff", undefined],
    ["is not well", "answered", 502],
  ])("is asked for again when a server that %s is ready", async (_, failure, status) => {
    let isAway = true;
    const far: Answerer = async (request) => {
      if (!isAway) return answering(5)(request);
      throw new FederationError(failure, "far", "Not now.", status === undefined ? {} : { status });
    };
    const { update, rows, ready, asked } = await stale({ far }, [bob, "@ben:far"]);
    await update(bob);
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    await update("@ben:far");
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    expect((await rows()).map(([, server]) => server)).toEqual(["far", "far"]);
    isAway = false;
    ready("far");
    await vi.waitFor(async () =>
      expect(await rows()).toEqual([
        ["@ben:far", undefined, 5],
        [bob, undefined, 5],
      ]),
    );
  });

  test("is asked for again after a while where nobody will say that the server is ready", async () => {
    const far: Answerer = async (request) => {
      if (asked.length > 1) return answering(5)(request);
      throw new FederationError("answered", "far", "Not so often.", { status: 429 });
    };
    const { update, rows, asked, timers } = await stale({ far }, [bob], false);
    await update(bob);
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    await vi.waitFor(async () => {
      timers.pass(5 * 60_000);
      expect(await rows()).toEqual([[bob, undefined, 5]]);
    });
  });

  test.each<[string, JsonValue]>([
    ["nothing", {}],
    ["of another user", { user_id: "@x:far", stream_id: 1, devices: [] }],
    ["without a place", { user_id: bob, devices: [] }],
    ["too many devices", { user_id: bob, stream_id: 1, devices: Array.from({ length: 1_001 }, () => 0) }],
  ])("that is answered with %s stays so, and does not keep others from being asked for", async (_, lie) => {
    const far: Answerer = async (request) => (request.uri.includes("bob") ? lie : answering(5)(request));
    const { update, rows, asked } = await stale({ far }, [bob, "@zoe:far"]);
    await update(bob);
    await update("@zoe:far");
    await vi.waitFor(async () =>
      expect(await rows()).toEqual([
        [bob, "far", 1],
        ["@zoe:far", undefined, 5],
      ]),
    );
    expect(asked.length).toBeLessThan(6);
  });

  test("of who is not known to their server any more goes", async () => {
    const far: Answerer = async () => {
      throw new FederationError("answered", "far", "No.", { status: 404 });
    };
    const { update, rows } = await stale({ far });
    await update(bob);
    await vi.waitFor(async () => expect(await rows()).toEqual([]));
  });

  test("of a server that hangs keeps no other server's waiting", async () => {
    const hangs: Answerer = () => new Promise(() => undefined);
    const { update, rows } = await stale({ far: answering(5), bad: hangs }, [bob, eve]);
    await update(eve);
    await update(bob);
    await vi.waitFor(async () =>
      expect(await rows()).toEqual([
        [bob, undefined, 5],
        [eve, "bad", 1],
      ]),
    );
  });
});
