import { expect, test } from "vitest";
import { parseServerName } from "../../../src/matrix/server-names.ts";
import type { AskHop, Hop } from "../../../src/relay/egress/client.ts";
import { inOrder, openDiscovery, type SrvRecord } from "../../../src/relay/egress/discovery.ts";
import { EgressFailure } from "../../../src/relay/egress/failure.ts";
import { freshness, openWellKnown } from "../../../src/relay/egress/well-known.ts";

type Srv = { [name: string]: SrvRecord[] };
const record = (target: string, port: number, priority = 0, weight = 0): SrvRecord => ({
  target,
  port,
  priority,
  weight,
});

/** Discovery in a world of these answers. `asked` has what was looked for, in order. */
function world(wellKnown: { [host: string]: string }, srv: Srv) {
  const asked: string[] = [];
  const discover = openDiscovery({
    wellKnown: async (host) => {
      asked.push(host);
      const to = wellKnown[host];
      return to === undefined ? undefined : parseServerName(to);
    },
    srv: async (name) => {
      asked.push(name);
      return srv[name] ?? [];
    },
    random: () => 0.5,
  });
  return { asked, discover: (name: string) => discover(parseServerName(name)) };
}

const route = (host: string, port: number, authority: string, certificateFor = host) => ({
  host,
  port,
  authority,
  certificateFor,
});
const fed = (host: string) => `_matrix-fed._tcp.${host}`;
const old = (host: string) => `_matrix._tcp.${host}`;

test.each<[step: string, name: string, wellKnown: string | undefined, srv: Srv, want: object]>([
  ["1", "192.0.2.1", undefined, {}, route("192.0.2.1", 8448, "192.0.2.1")],
  ["1, port", "192.0.2.1:80", undefined, {}, route("192.0.2.1", 80, "192.0.2.1:80")],
  ["1, IPv6", "[2001:db8::1]", undefined, {}, route("2001:db8::1", 8448, "[2001:db8::1]")],
  ["1, IPv6 and port", "[2001:db8::1]:1", undefined, {}, route("2001:db8::1", 1, "[2001:db8::1]:1")],
  ["2", "a.example:443", "b.example", {}, route("a.example", 443, "a.example:443")],
  ["3.1", "a.example", "192.0.2.1", {}, route("192.0.2.1", 8448, "192.0.2.1")],
  ["3.1, port", "a.example", "[::1]:9", {}, route("::1", 9, "[::1]:9")],
  ["3.2", "a.example", "b.example:443", {}, route("b.example", 443, "b.example:443")],
  [
    "3.3",
    "a.example",
    "b.example",
    { [fed("b.example")]: [record("c.example.", 1)], [old("b.example")]: [record("d.example", 2)] },
    route("c.example", 1, "b.example", "b.example"),
  ],
  [
    "3.4",
    "a.example",
    "b.example",
    { [old("b.example")]: [record("c.example", 2)] },
    route("c.example", 2, "b.example", "b.example"),
  ],
  [
    "3.5",
    "a.example",
    "b.example",
    { [fed("a.example")]: [record("c.example", 2)] },
    route("b.example", 8448, "b.example"),
  ],
  [
    "4",
    "a.example",
    undefined,
    { [fed("a.example")]: [record("c.example", 3)], [old("a.example")]: [record("d.example", 2)] },
    route("c.example", 3, "a.example", "a.example"),
  ],
  [
    "5",
    "a.example",
    undefined,
    { [old("a.example")]: [record("c.example", 4)] },
    route("c.example", 4, "a.example", "a.example"),
  ],
  ["6", "a.example", undefined, {}, route("a.example", 8448, "a.example")],
])("step %s: %s, delegated to %s", async (_, name, wellKnown, srv, want) => {
  const { discover } = world(wellKnown === undefined ? {} : { "a.example": wellKnown }, srv);
  expect(await discover(name)).toEqual([want]);
});

test("an address or a port in the name leaves nothing to ask for, and a delegation is not delegated again", async () => {
  const direct = world({}, {});
  for (const name of ["192.0.2.1", "[::1]:8448", "a.example:8448"]) await direct.discover(name);
  expect(direct.asked).toEqual([]);
  const twice = world({ "a.example": "b.example", "b.example": "c.example" }, {});
  await twice.discover("a.example");
  expect(twice.asked).toEqual(["a.example", fed("b.example"), old("b.example")]);
});

test("SRV records come by priority, few of them, and a root target says that there is no server", async () => {
  const many = [5, 3, 1, 4, 2].map((priority) => record(`p${priority}.example`, 1, priority));
  const { discover } = world({}, { [fed("a.example")]: many, [fed("none.example")]: [record(".", 0)] });
  expect((await discover("a.example")).map(({ host }) => host)).toEqual([
    "p1.example",
    "p2.example",
    "p3.example",
    "p4.example",
  ]);
  await expect(discover("none.example")).rejects.toMatchObject({ kind: "unreachable" });
  await expect(discover("a.example:99999")).rejects.toMatchObject({ kind: "unreachable" });
});

test("of one priority, more weight comes first more often", () => {
  const draws = Array.from({ length: 200 }, (_, i) => ((i * 7919) % 200) / 200);
  const random = () => {
    const value = draws.shift() ?? 0;
    draws.push(value);
    return value;
  };
  const records = [record("light", 1, 0, 1), record("heavy", 1, 0, 9), record("never", 1, 1, 1000)];
  const first = Array.from({ length: 100 }, () => inOrder(records, random)[0]?.target);
  const heavy = first.filter((target) => target === "heavy").length;
  expect(heavy).toBeGreaterThan(70);
  expect(first).toContain("light");
  expect(first).not.toContain("never");
});

const minute = 60_000;
const hour = 60 * minute;

test.each<[control: string | undefined, expires: string | undefined, keep: number]>([
  [undefined, undefined, 24 * hour],
  ["max-age=3600", undefined, hour],
  ["public, max-age=999999999", undefined, 48 * hour],
  ["max-age=0", undefined, 5 * minute],
  ["no-store", undefined, 5 * minute],
  ["max-age=7200, no-cache", undefined, 5 * minute],
  [undefined, "Thu, 01 Jan 1970 02:00:00 GMT", 2 * hour],
  [undefined, "no date", 5 * minute],
  ["max-age=3600", "0", hour],
])("cache-control %s, expires %s", (control, expires, keep) =>
  expect(freshness(control, expires, 0)).toBe(keep),
);

/** The delegation of one host, which answers as `answer` says. */
function asking(answer: () => Response) {
  let [time, asked] = [0, 0];
  const ask: AskHop = async (_: Hop) => {
    asked += 1;
    const response = answer();
    const body = response.body ?? new Blob([]).stream();
    return { status: response.status, headers: [...response.headers], body, ended: Promise.resolve() };
  };
  const wellKnown = openWellKnown(ask, () => time);
  return { get: () => wellKnown("a.example"), asked: () => asked, pass: (span: number) => (time += span) };
}

const delegating = (server: unknown, headers: HeadersInit = {}) =>
  Response.json({ "m.server": server }, { headers });

test.each<[what: string, answer: () => Response, server: string | undefined]>([
  ["good", () => delegating("b.example:1"), "b.example:1"],
  [
    "of any type",
    () => new Response('{"m.server":"b.example"}', { headers: { "content-type": "text/plain" } }),
    "b.example",
  ],
  ["not 200", () => Response.json({ "m.server": "b.example" }, { status: 404 }), undefined],
  ["no JSON", () => new Response("<html>"), undefined],
  ["no object", () => Response.json(["b.example"]), undefined],
  ["no name", () => Response.json({}), undefined],
  ["a bad name", () => delegating("https://b.example"), undefined],
  ["a number", () => delegating(1), undefined],
])("a delegation that is %s", async (_, answer, server) => expect(await asking(answer).get()).toBe(server));

test("a delegation is asked for once at a time, and again when its time is over", async () => {
  const host = asking(() => delegating("b.example", { "cache-control": "max-age=3600" }));
  expect(await Promise.all([host.get(), host.get()])).toEqual(["b.example", "b.example"]);
  host.pass(hour - 1);
  await host.get();
  expect(host.asked()).toBe(1);
  host.pass(1);
  await host.get();
  expect(host.asked()).toBe(2);
});

test("failures are asked again ever later, at most after an hour", async () => {
  const host = asking(() => {
    throw new EgressFailure("unreachable", "no");
  });
  const waits: number[] = [];
  for (let round = 0; round < 8; round += 1) {
    await host.get();
    const [before, wait] = [host.asked(), { spent: 0 }];
    while (host.asked() === before) {
      host.pass(minute);
      wait.spent += minute;
      await host.get();
    }
    waits.push(wait.spent / minute);
  }
  expect(waits).toEqual([2, 4, 8, 16, 32, 60, 60, 60]);
});

test("a good delegation outlives a failure, but not its 48 hours", async () => {
  let up = true;
  const host = asking(() => (up ? delegating("b.example") : new Response("", { status: 502 })));
  await host.get();
  up = false;
  host.pass(25 * hour);
  expect(await host.get()).toBe("b.example");
  host.pass(24 * hour);
  expect(await host.get()).toBeUndefined();
});
