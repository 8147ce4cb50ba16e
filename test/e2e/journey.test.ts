import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { BrowserContext } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { distFolder } from "../../scripts/support/dist.mjs";
import { serveFolder } from "../../scripts/support/static-server.mjs";
import { launchBrowser } from "./support/launch-browser.ts";
import { Person } from "./support/person.ts";
import { type Watch, watchBrowser } from "./support/watch-browser.ts";

const folders = [
  ["at the root of its origin", ""],
  ["under a path of its origin", "some/prefix"],
] as const;

/** The chapters build on one another: each goes on where the one before it ended. */
describe.each(folders)("two people on the homeserver of one browser, %s", (_, folder) => {
  let scratch: string;
  let server: { url: string; close(): Promise<void> };
  let url: string;
  let context: BrowserContext;
  let watch: Watch;
  let alice: Person;
  let bob: Person;
  const ids = { alice: "", bob: "", room: "" };
  /** What the room shows at the present moment of the story. */
  const said: string[] = [];

  const openBrowser = async () => {
    context = await launchBrowser({ profileDir: join(scratch, "profile") });
    watch = watchBrowser(context, url);
  };
  const openTab = async () => {
    const page = await context.newPage();
    await page.goto(url);
    return new Person(page);
  };

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), "hearth-journey-"));
    const site = join(scratch, "site");
    await mkdir(dirname(join(site, folder)), { recursive: true });
    await symlink(distFolder, join(site, folder));
    server = await serveFolder(site, 0);
    url = new URL(`./${folder}/`, server.url).href.replace(/\/\/$/, "/");
    await openBrowser();
  });
  afterAll(async () => {
    await context.close();
    await server.close();
    await rm(scratch, { recursive: true, force: true });
  });
  afterEach(() => {
    expect(watch.errors.splice(0)).toEqual([]);
    expect(watch.foreignRequests.splice(0)).toEqual([]);
  });

  const speaks = async (who: Person, text: string) => {
    await who.say(text);
    said.push(text);
    for (const person of [alice, bob]) await person.sees(text);
  };

  test("the first visit makes a homeserver and an account", async () => {
    alice = await openTab();
    await alice.signUp("alice", "the password of alice");
    ids.alice = await alice.userId();
    expect(ids.alice).toMatch(/^@alice:[a-z2-7]{52}$/);
  });

  test("another person is added in a second tab", async () => {
    bob = await openTab();
    await bob.startAddingAccount();
    await bob.signUp("bob", "the password of bob");
    ids.bob = await bob.userId();
    expect(ids.bob).toBe(ids.alice.replace("@alice:", "@bob:"));
    expect(await alice.userId()).toBe(ids.alice);
  });

  test("alice makes a room, invites bob, and bob accepts", async () => {
    ids.room = await alice.createRoom("Kitchen table");
    await alice.invite("bob");
    await bob.acceptInvite(ids.room);
    await bob.openMembers();
    for (const person of [alice, bob]) {
      await person.member(ids.alice).waitFor();
      await person.member(ids.bob).waitFor();
    }
    expect(await bob.page.getByTestId("room-name").textContent()).toBe("Kitchen table");
  });

  test("they talk both ways", async () => {
    await speaks(alice, "Good morning, bob");
    await speaks(bob, "Good morning, alice");
    await speaks(alice, "Tea or coffee?");
    await speaks(bob, "Tea, please");
    expect(await alice.timeline()).toEqual(said);
    expect(await bob.timeline()).toEqual(said);
  });

  test("each sees that the other is writing, and that they have stopped", async () => {
    const typing = alice.page.getByTestId("typing");
    await bob.write("With mi");
    await typing.getByText("bob is typing").waitFor();
    await speaks(bob, "With milk");
    await typing.getByText("bob is typing").waitFor({ state: "detached" });
    expect(await typing.textContent()).toBe("");
  });

  test("each sees how far the other has read", async () => {
    await speaks(alice, "Here you are");
    await alice.message("Here you are").getByTestId("readers").getByText("Read by bob").waitFor();
    await speaks(bob, "Thank you");
    await bob.message("Thank you").getByTestId("readers").getByText("Read by alice").waitFor();
    expect(await bob.page.getByTestId("readers").count()).toBe(1);
  });

  test("a message that alice deletes is gone for both", async () => {
    await alice.deleteMessage("Tea or coffee?");
    said[said.indexOf("Tea or coffee?")] = "deleted";
    await bob.page.locator('[data-testid="message"][data-redacted]').waitFor();
    expect(await alice.timeline()).toEqual(said);
    expect(await bob.timeline()).toEqual(said);
  });

  const everythingIsThere = async () => {
    for (const person of [alice, bob]) {
      await person.sees(said.at(-1) ?? "");
      await person.openMembers();
      await person.member(ids.alice).waitFor();
      await person.member(ids.bob).waitFor();
      expect(await person.timeline()).toEqual(said);
      const view = await person.clientView(ids.room);
      expect(view).toEqual({ bodies: said, members: [ids.alice, ids.bob] });
    }
    expect(await alice.userId()).toBe(ids.alice);
    expect(await bob.userId()).toBe(ids.bob);
  };

  test("the tab that leads is loaded again, then the other", async () => {
    await alice.reload();
    await everythingIsThere();
    await bob.reload();
    await everythingIsThere();
    await speaks(alice, "Still here");
    await speaks(bob, "So am I");
  });

  test("the tab that leads is closed, and the other goes on", async () => {
    await alice.page.close();
    await bob.say("Where are you?");
    said.push("Where are you?");
    alice = await openTab();
    await alice.switchTo(ids.alice);
    await alice.openRoom(ids.room);
    await everythingIsThere();
  });

  test("the browser is closed and opened again", async () => {
    await context.close();
    await openBrowser();
    alice = await openTab();
    if ((await alice.userId()) !== ids.alice) await alice.switchTo(ids.alice);
    await alice.openRoom(ids.room);
    bob = await openTab();
    await bob.switchTo(ids.bob);
    await bob.openRoom(ids.room);
    await everythingIsThere();
    await speaks(bob, "What a night");
  });

  test("without a network the page loads, and messages are read and sent", async () => {
    await context.setOffline(true);
    await server.close();
    await alice.reload();
    await bob.reload();
    await everythingIsThere();
    await speaks(alice, "The line is dead");
    await speaks(bob, "I did not notice");
    await everythingIsThere();
  });
});
