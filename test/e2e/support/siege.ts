import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { type ChromiumProcess, startChromium } from "./chromium-process.ts";
import type { Report } from "./client-in-page.ts";
import type { Random } from "./random.ts";
import { stopServiceWorker } from "./service-worker-stop.ts";

/** What may happen to a homeserver. */
export const BLOWS = [
  "the browser is killed",
  "the browser is killed while the homeserver starts",
  "the leading tab is closed",
  "the leading tab crashes",
  "the service worker is stopped",
] as const;
export type Blow = (typeof BLOWS)[number];

/** A tab, and what runs in it. */
export type Tab<Work> = {
  page: Page;
  /** From here on its end is no surprise. */
  doomed: boolean;
  work: Work[];
};

export type SiegeOptions<Work> = {
  url: string;
  /** What is to go on in the first of two tabs, and in the second. */
  shifts: readonly [readonly Work[], readonly Work[]];
  /** Begins with something in a page, or goes on with it. @returns its end */
  start: (page: Page, work: Work) => Promise<void>;
  /** Whether who has reported is to go on. */
  goOn: (report: Report) => boolean;
  /** How things stand, for the message when something does not come. */
  state: () => object;
};

/** A homeserver in two tabs of a browser, in which work goes on whatever happens to them. */
export class Siege<Work> {
  readonly #with: SiegeOptions<Work>;
  /** What ended that should not have ended. */
  readonly surprises: string[] = [];
  readonly done = Object.fromEntries(BLOWS.map((blow) => [blow, 0])) as Record<Blow, number>;
  chromium!: ChromiumProcess;
  tabs: Tab<Work>[] = [];
  #profileDir = "";
  readonly #underWay = new Map<Promise<void>, Work>();

  constructor(options: SiegeOptions<Work>) {
    this.#with = options;
  }

  async begin(): Promise<void> {
    this.#profileDir = await mkdtemp(join(tmpdir(), "hearth-siege-"));
    await this.launch();
  }

  async end(): Promise<void> {
    await this.chromium.close();
    await rm(this.#profileDir, { recursive: true, force: true });
  }

  async launch(): Promise<void> {
    this.chromium = await startChromium(this.#profileDir);
    const { context } = this.chromium;
    context.on("weberror", (error) => this.surprises.push(String(error.error().stack)));
    await context.exposeBinding("report", (_, report: Report) => this.#with.goOn(report));
  }

  async openTab(): Promise<Tab<Work>> {
    const page = await this.chromium.context.newPage();
    await page.goto(this.#with.url);
    await page.locator('[data-phase="ready"], [data-phase="following"]').waitFor();
    return { page, doomed: false, work: [] };
  }

  /** Two tabs again, with the work divided between them. */
  async openTabs(): Promise<void> {
    const first = await this.openTab();
    this.#takeOver(first, this.#with.shifts[0]);
    const second = await this.openTab();
    this.#takeOver(second, this.#with.shifts[1]);
    this.tabs = [first, second];
  }

  /** The end of all work that is under way and of a kind. */
  async finished(isOfKind: (work: Work) => boolean): Promise<void> {
    await Promise.all([...this.#underWay].flatMap(([end, work]) => (isOfKind(work) ? [end] : [])));
  }

  async strike(blow: Blow): Promise<void> {
    await this.within(60, blow, this.#blows[blow]());
    this.done[blow] += 1;
  }

  /** Waits for what may never come, and then says how everything stood. */
  async within<T>(seconds: number, what: string, wait: Promise<T>): Promise<T> {
    let late: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      late = setTimeout(() => {
        void this.#stand().then((stand) => reject(new Error(`${what}: not after ${seconds} s; ${stand}`)));
      }, 1_000 * seconds);
    });
    try {
      return await Promise.race([wait, limit]);
    } finally {
      clearTimeout(late);
    }
  }

  readonly #blows: Record<Blow, () => Promise<void>> = {
    "the browser is killed": async () => {
      await this.#kill();
      await this.launch();
      await this.openTabs();
    },
    "the browser is killed while the homeserver starts": async () => {
      await this.#kill();
      await this.launch();
      const page = await this.chromium.context.newPage();
      await Promise.all([page.waitForEvent("worker"), page.goto(this.#with.url, { waitUntil: "commit" })]);
      await this.#kill();
      await this.launch();
      await this.openTabs();
    },
    "the leading tab is closed": () => this.#endLeader((page) => page.close()),
    "the leading tab crashes": () =>
      this.#endLeader(async (page) => {
        const session = await page.context().newCDPSession(page);
        // It takes its renderer down before it is answered.
        const crash = session.send("Page.crash").catch((error: unknown) => String(error));
        await Promise.race([page.waitForEvent("crash"), crash]);
        await page.close();
      }),
    "the service worker is stopped": () => stopServiceWorker(this.tabs[0]!.page),
  };

  #takeOver(tab: Tab<Work>, works: readonly Work[]): void {
    for (const work of works) {
      tab.work.push(work);
      const end: Promise<void> = this.#with
        .start(tab.page, work)
        .catch((error: unknown) => {
          if (!tab.doomed) this.surprises.push(String(error));
        })
        .finally(() => this.#underWay.delete(end));
      this.#underWay.set(end, work);
    }
  }

  async #kill(): Promise<void> {
    for (const tab of this.tabs) tab.doomed = true;
    expect(await this.chromium.kill()).toBe("SIGKILL");
    this.tabs = [];
  }

  /** Ends the tab that leads; the other one leads on, and a new one takes over the work that ended. */
  async #endLeader(end: (page: Page) => Promise<void>): Promise<void> {
    const leads = ({ page }: Tab<Work>) => page.locator('[data-phase="ready"]').isVisible();
    const [first, second] = this.tabs as [Tab<Work>, Tab<Work>];
    const [leader, other] = (await leads(first)) ? [first, second] : [second, first];
    expect([await leads(leader), await leads(other)]).toEqual([true, false]);
    leader.doomed = true;
    await end(leader.page);
    const successor = await this.openTab();
    this.#takeOver(successor, leader.work);
    await other.page.locator('[data-phase="ready"]').waitFor();
    this.tabs = [other, successor];
  }

  async #stand(): Promise<string> {
    const phases = this.tabs.map(async ({ page, work }) => ({
      phase: await Promise.race([
        page
          .locator("[data-phase]")
          .first()
          .getAttribute("data-phase", { timeout: 2_000 })
          .catch((error: unknown) => String(error)),
        new Promise<string>((resolve) => setTimeout(resolve, 4_000, "no answer")),
      ]),
      work,
    }));
    const { done, surprises } = this;
    return JSON.stringify({ done, tabs: await Promise.all(phases), ...this.#with.state(), surprises });
  }
}

/** So many blows of each kind, in an order that the seed says. */
export function planOf(random: Random, blows: Record<Blow, number>): Blow[] {
  return random.shuffled(BLOWS.flatMap((blow) => Array<Blow>(blows[blow]).fill(blow)));
}
