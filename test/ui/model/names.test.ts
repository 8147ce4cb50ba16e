import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  expandRoom,
  expandUserId,
  expandUserIds,
  localpartFor,
  serverOf,
  serversInLink,
  shortenIds,
  shortName,
  shortServer,
} from "../../../src/ui/model/names.ts";

const home = "k7f3q2m5xw4ncz6yd2h7p5tbrv3e6gajsl4ui2okm7wqx5cfdhna";

describe("short names", () => {
  test.each([
    [`@bob:${home}`, "bob"],
    ["#tea:example.org:8448", "tea"],
    ["!roomIdOfVersion12", "roomIdOfVersion12"],
    ["Bob: the builder", "Bob: the builder"],
  ])("%s is %s", (id, want) => expect(shortName(id)).toBe(want));

  test.each([
    [home, "k7f3q2…"],
    [`${home}.relay.example`, "k7f3q2….relay.example"],
    ["alice.relay.example", "alice.relay.example"],
    [home.slice(1), home.slice(1)],
  ])("the server %s shows as %s", (server, want) => expect(shortServer(server)).toBe(want));

  test("user ids inside a room's name lose their server", () => {
    expect(shortenIds(`@bob:${home} and @carol:example.org:8448`)).toBe("bob and carol");
    expect(shortenIds("me@example.org")).toBe("me@example.org");
  });

  test.each([
    ["@bob:example.org:8448", "example.org:8448"],
    ["!roomIdOfVersion12", ""],
  ])("%s belongs to %j", (id, want) => expect(serverOf(id)).toBe(want));
});

describe("user ids somebody types", () => {
  test.each([
    ["bob", `@bob:${home}`],
    [" @Bob ", `@bob:${home}`],
    ["carol:example.org", "@carol:example.org"],
    ["@carol:example.org:8448", "@carol:example.org:8448"],
    ["@carol:[::1]:80", "@carol:[::1]:80"],
    ["a/b=c+d-e_f.1", `@a/b=c+d-e_f.1:${home}`],
  ])("%j means %s", (text, want) => expect(expandUserId(text, home)).toBe(want));

  test.each(["", "@", "bob bee", "bob:", "#tea", "bö", "bob:exa mple.org", "bob:example.org:port"])(
    "%j means nobody",
    (text) => expect(expandUserId(text, home)).toBeNull(),
  );

  test("a list names each once, and says what it could not read", () => {
    expect(expandUserIds("bob, @bob;carol:example.org\n!x", home)).toEqual({
      ids: [`@bob:${home}`, "@carol:example.org"],
      wrong: ["!x"],
    });
    expect(expandUserIds(" , ", home)).toEqual({ ids: [], wrong: [] });
  });

  test("what was expanded expands to itself", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const id = expandUserId(text, home);
        if (id !== null) expect(expandUserId(id, "other.example")).toBe(id);
      }),
    );
  });
});

describe("rooms somebody types", () => {
  test.each([
    ["tea", `#tea:${home}`],
    ["#tea", `#tea:${home}`],
    ["#tea:example.org", "#tea:example.org"],
    ["!abc:example.org", "!abc:example.org"],
    ["!roomIdOfVersion12", "!roomIdOfVersion12"],
    ["https://matrix.to/#/%23tea%3Aexample.org?via=example.org", "#tea:example.org"],
    ["matrix:r/tea:example.org", "#tea:example.org"],
    ["matrix:roomid/abc:example.org?action=join", "!abc:example.org"],
  ])("%j means %s", (text, want) => expect(expandRoom(text, home)).toBe(want));

  test.each(["", "#", "!", "two words", "#tea:", "https://matrix.to/#/@bob:example.org x"])(
    "%j means no room",
    (text) => expect(expandRoom(text, home)).toBeNull(),
  );

  test("a stray percent sign is text", () => {
    expect(expandRoom("https://matrix.to/#/%23100%:example.org", home)).toBe("#%23100%:example.org");
  });
});

describe("servers that a link names", () => {
  test.each([
    ["https://matrix.to/#/!abc?via=example.org&via=b.example:8448", ["example.org", "b.example:8448"]],
    ["https://matrix.to/#/%21abc?via=b.example%3A8448", ["b.example:8448"]],
    [" matrix:roomid/abc?action=join&via=example.org ", ["example.org"]],
    ["matrix:roomid/abc?via=example.org&via=example.org", ["example.org"]],
    ["matrix:roomid/abc?via=not/a/server&via=", []],
    ["matrix:roomid/abc", []],
    ["!abc?via=example.org", []],
    ["via=example.org", []],
  ])("%j", (text, want) => expect(serversInLink(text)).toEqual(want));
});

describe("the localpart for a name", () => {
  test.each([
    ["Anna", "anna"],
    ["Anna Karenina", "anna-karenina"],
    ["Émile Zoß", "emile-zoss"],
    ["  .bob.  ", "bob"],
    ["_bob_", "bob_"],
    ["", ""],
    ["   ", ""],
  ])("%j gets %j", (name, want) => expect(localpartFor(name)).toBe(want));

  test("names without a Latin letter get one of their own", () => {
    expect(localpartFor("花子")).toMatch(/^user-[a-z0-9]+$/);
    expect(localpartFor("花子")).not.toBe(localpartFor("太郎"));
  });

  test("whatever is typed, the localpart fits the grammar", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (name) => {
        const localpart = localpartFor(name);
        expect(localpart === "").toBe(name.trim() === "");
        if (localpart !== "") expect(expandUserId(localpart, home)).toBe(`@${localpart}:${home}`);
      }),
    );
  });
});
