import { describe, expect, test } from "vitest";
import { person, RELAY } from "../support/people.ts";
import { relay } from "../support/relay.ts";

const day = 24 * 60 * 60 * 1000;

describe("names", () => {
  test("a key has the name that it is, with any suffix, and no other key has it", async () => {
    const { enter, names } = relay();
    const node = await person(1);
    const [label = ""] = node.name.split(".");
    for (const name of [label, `${label}.elsewhere.example:8448`, node.name]) {
      expect(await enter({ ...node, name })).toBeUndefined();
      expect(await enter({ ...(await person(2)), name })).toContain("another key");
      expect(await names.keyOf(name)).toEqual(Uint8Array.from(node.key.publicKey));
    }
  });

  test("a host leads to the name that its node has had a session under, else to its latest", async () => {
    const { enter, names } = relay();
    const node = await person(1);
    const [label = ""] = node.name.split(".");
    expect(await names.nodeOf(node.name)).toBeUndefined();
    await enter({ ...node, name: label });
    expect(await names.nodeOf(node.name)).toBe(label);
    await enter(node);
    expect(await names.nodeOf(node.name)).toBe(node.name);
    expect(await names.nodeOf(label)).toBe(label);
    expect(await names.nodeOf(node.name.toUpperCase())).toBe(node.name);
    expect(await names.nodeOf(`${node.name}:443`)).toBe(node.name);
    expect(await names.nodeOf(RELAY)).toBeUndefined();
  });

  test("a short name is the first asker's, again and again, and leads to the node", async () => {
    const { enter, names } = relay();
    const [one, two] = [await person(1), await person(2)];
    await enter(one);
    await enter(two);
    expect(await names.claim(one.name, "alice")).toBe(`alice.${RELAY}`);
    expect(await names.claim(one.name, "alice")).toBe(`alice.${RELAY}`);
    await expect(names.claim(two.name, "alice")).rejects.toMatchObject({
      status: 409,
      errcode: "M_USER_IN_USE",
    });
    expect(await names.namesOf(one.name)).toEqual([one.name, `alice.${RELAY}`]);
    expect(await names.namesOf(two.name)).toEqual([two.name]);
    expect(await names.nodeOf(`Alice.${RELAY}:8448`)).toBe(one.name);
    expect(await enter({ ...one, name: `alice.${RELAY}` })).toBeUndefined();
    expect(await enter({ ...two, name: `alice.${RELAY}` })).toContain("another key");
    expect(await enter({ ...two, name: `bob.${RELAY}` })).toContain("ask for it first");
  });

  test("a name that the operator gives away is the first's that comes with it, and no other is given so", async () => {
    const { enter, names } = relay();
    const people = await Promise.all([1, 2, 3].map((fill) => person(fill)));
    const given = "127.0.0.1:8448";
    const why = await Promise.all(people.map((each) => enter({ ...each, name: given })));
    expect(why.filter((each) => each === undefined)).toHaveLength(1);
    expect(why.filter((each) => each?.includes("another key"))).toHaveLength(2);
    const first = people[why.indexOf(undefined)]!;
    expect(await enter({ ...first, name: given })).toBeUndefined();
    expect(await names.nodeOf(given)).toBe(given);
    expect(await names.keyOf(given)).toEqual(Uint8Array.from(first.key.publicKey));
    expect(await enter({ ...first, name: "127.0.0.1:8449" })).toContain("domain");
  });

  test("of two who ask for a name at the same time, one has it", async () => {
    const { enter, names } = relay();
    const people = await Promise.all([1, 2, 3].map((fill) => person(fill)));
    for (const one of people) await enter(one);
    const outcomes = await Promise.allSettled(people.map(({ name }) => names.claim(name, "alice")));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test.each([
    "a",
    "Alice",
    "-a",
    "a-",
    "a.b",
    "a_b",
    "x".repeat(33),
    "xn--bcher-kva",
    "www",
    "admin",
    "é1",
    "",
  ])("the label %j cannot be had", async (label) => {
    const { enter, names } = relay();
    const node = await person(1);
    await enter(node);
    await expect(names.claim(node.name, label)).rejects.toMatchObject({ errcode: "M_INVALID_PARAM" });
  });

  test("a node has three names, and no more", async () => {
    const { enter, names } = relay();
    const node = await person(1);
    await enter(node);
    for (const label of ["one1", "two2", "three3"]) await names.claim(node.name, label);
    await expect(names.claim(node.name, "four4")).rejects.toMatchObject({ status: 403 });
    expect(await names.claim(node.name, "two2")).toBe(`two2.${RELAY}`);
  });
});

describe("domains", () => {
  test("a domain is the key's that its delegation names, before any server of it is up", async () => {
    const { enter, names, delegations } = relay();
    const node = await person(1);
    delegations.set("own.example", `${node.name}:443`);
    expect(await enter({ ...node, name: "own.example" })).toBeUndefined();
    expect(await enter({ ...(await person(2)), name: "own.example" })).toContain("does not name this key");
    expect(await names.nodeOf("own.example")).toBe("own.example");
    expect(await names.nodeOf(node.name)).toBe("own.example");
  });

  test("or the key's that its server publishes", async () => {
    const { enter, world } = relay();
    const node = { ...(await person(1)), name: "own.example" };
    world.set("own.example", node);
    expect(await enter(node)).toBeUndefined();
    expect(await enter({ ...(await person(2)), name: "own.example" })).toContain("does not name this key");
  });

  test("a domain of which nothing can be found out is nobody's", async () => {
    const { enter, names } = relay();
    expect(await enter({ ...(await person(1)), name: "own.example" })).toContain("could not be found out");
    expect(await names.nodeOf("own.example")).toBeUndefined();
  });

  test("it is looked up once a day, and held through an outage of 30", async () => {
    const { enter, names, delegations, seen, clock } = relay();
    const node = { ...(await person(1)), name: "own.example" };
    delegations.set("own.example", (await person(1)).name);
    await enter(node);
    delegations.delete("own.example");
    expect(await enter(node)).toBeUndefined();
    expect(seen.egress).toEqual([]);
    clock.now += 29 * day;
    expect(await enter(node)).toBeUndefined();
    expect(seen.egress).toHaveLength(1);
    clock.now += day;
    expect(await enter(node)).toContain("could not be found out");
    expect(await names.keyOf("own.example")).toBeUndefined();
  });

  test("a domain that has been delegated to another key is that one's from the next look on", async () => {
    const { enter, names, delegations, clock } = relay();
    const [one, two] = [await person(1), await person(2)];
    delegations.set("own.example", one.name);
    await enter({ ...one, name: "own.example" });
    delegations.set("own.example", two.name);
    clock.now += day;
    expect(await enter({ ...one, name: "own.example" })).toContain("does not name this key");
    expect(await enter({ ...two, name: "own.example" })).toBeUndefined();
    expect(await names.nodeOf(one.name)).toBeUndefined();
    expect(await names.nodeOf(two.name)).toBe("own.example");
  });

  test.each(["", "a b", "own.example/x", "OWN.example"])(
    "%j is no name to have a session under",
    async (name) => {
      const { enter, seen } = relay();
      expect(await enter({ ...(await person(1)), name })).toEqual(expect.any(String));
      expect(seen.egress).toEqual([]);
    },
  );
});
