import fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { OutgoingEdu, OutgoingEdus } from "../../../../src/worker-roomserver/federation/api.ts";
import type { Storage } from "../../../../src/worker-roomserver/storage/api.ts";
import { nextTask } from "../../support/rounds.ts";
import { TestDestinations } from "./support/destinations.ts";
import { sendMessage, storedMessages } from "./support/messages.ts";
import { Life, mortal } from "./support/mortal.ts";
import { type Rig, senderRig } from "./support/rig.ts";
import { TestServers } from "./support/servers.ts";

const ONE = "one.example";
/** Rounds of the event loop after which a leader has done all that it will ever do. */
const IDLE = 20_000;

/** Each entry `presence` of the log is told in an EDU that must not be lost. */
const edusOf = (storage: Storage): OutgoingEdus => ({
  of: async ({ topic, position }): Promise<OutgoingEdu[]> =>
    topic === "presence"
      ? [{ edu: { edu_type: "m.test", content: { position } }, servers: [ONE], durable: true }]
      : [],
  ...storedMessages(storage),
});

/** What happens in one life of a leader. */
type Told = { bodies: string[]; positions: number[]; messages: string[] };

class Story {
  readonly servers = new TestServers();
  readonly told: Told = { bodies: [], positions: [], messages: [] };
  readonly destinations = new TestDestinations();
  #name: string | undefined;
  #roomId = "";

  /** @param steps - after which its tab is closed. @returns whether it got to the end */
  async live(steps: number, isWritten: boolean): Promise<boolean> {
    const life = new Life(steps);
    const rig = await senderRig({
      ...{ servers: this.servers, destinations: this.destinations, edus: edusOf, life },
      seen: (storage) => mortal(storage, life),
      ...(this.#name !== undefined && { name: this.#name }),
    });
    this.#name = rig.storage.name;
    if (this.#roomId === "") {
      this.#roomId = await rig.create();
      await rig.joins(this.#roomId, `@bob:${ONE}`);
    }
    void rig.sender.start();
    for (let i = 0; i < 2; i++) await this.#happen(rig);
    // Also the steps after the last answer are some to die at.
    for (let idle = 0; !life.isOver && idle < IDLE; idle++) {
      if (this.#isTold() && (await isCleared(rig))) break;
      await nextTask();
    }
    rig.sender.close();
    // What nobody waits for may have been written just before, or not.
    if (isWritten) await rig.storage.flushed();
    return !life.isOver;
  }

  async #happen(rig: Rig): Promise<void> {
    const { bodies, positions, messages } = this.told;
    const n = bodies.length;
    await rig.say(this.#roomId, `message ${n}`);
    bodies.push(`message ${n}`);
    positions.push(await rig.storage.commit((write) => write.append({ topic: "presence" })));
    await sendMessage(rig.storage, ONE, `m${n}`);
    messages.push(`m${n}`);
  }

  /** What the server has made of it, which takes no transaction twice, nor what it knows already. */
  heard(): Told {
    const seen = new Set<string>();
    const fresh = (this.servers.taken.get(ONE) ?? []).filter(({ id }) => !seen.has(id) && seen.add(id));
    const edus = fresh.flatMap((got) => got.edus);
    const distinct = <T>(values: T[]) => [...new Set(values)];
    return {
      bodies: distinct(fresh.flatMap(({ pdus }) => pdus.map(({ content }) => bodyOf(content)))),
      positions: distinct(edus.flatMap(({ content }) => (content.position as number | undefined) ?? [])),
      messages: distinct(edus.flatMap(({ content }) => (content.message_id as string | undefined) ?? [])),
    };
  }

  #isTold(): boolean {
    const { bodies, positions, messages } = this.heard();
    const { told } = this;
    return (
      bodies.length === told.bodies.length &&
      positions.length === told.positions.length &&
      messages.length === told.messages.length
    );
  }

  /** No id was given to two transactions. */
  contentsOfIds(): string[][] {
    const texts = new Map<string, Set<string>>();
    for (const { id, text } of this.servers.asked.get(ONE) ?? []) {
      texts.set(id, (texts.get(id) ?? new Set()).add(text));
    }
    return [...texts.values()].map((different) => [...different]);
  }
}

/** Whether nothing is left to be sent. */
async function isCleared({ storage }: Rig): Promise<boolean> {
  await storage.flushed();
  const left = await Promise.all([storage.getAllKeys("outgoing"), storage.getAllKeys("toDeviceOutbox")]);
  return left.flat().length === 0;
}

const bodyOf = (content: unknown) => (content as { body: string }).body;

test("nothing is lost, and all comes in its order, wherever the tab is closed", async () => {
  vi.spyOn(console, "error").mockReturnValue(); // leaders that are gone complain
  let steps = 0;
  for (let isAlive = false; !isAlive; ) {
    steps += 1;
    for (const isWritten of [true, false]) {
      const story = new Story();
      isAlive = await story.live(steps, isWritten);
      expect(await story.live(1e6, true)).toBe(true);
      expect(story.heard()).toEqual(story.told);
      expect(story.contentsOfIds().every((texts) => texts.length === 1)).toBe(true);
    }
  }
  expect(steps).toBeGreaterThan(10);
}, 120_000);

test("nor however often, and while the server comes and goes", async () => {
  vi.spyOn(console, "error").mockReturnValue();
  const lives = fc.array(
    fc.record({ steps: fc.integer({ min: 1, max: 60 }), isThere: fc.boolean(), isWritten: fc.boolean() }),
    {
      ...{ minLength: 2, maxLength: 4 },
    },
  );
  await fc.assert(
    fc.asyncProperty(lives, async (all) => {
      const story = new Story();
      for (const { steps, isThere, isWritten } of all) {
        // A server that is not there is sent nothing more, and a life does not end by itself then.
        story.servers.on(ONE, () => (isThere ? { status: 200 } : { status: 500 }));
        story.destinations.heardFrom(ONE);
        await story.live(isThere ? steps : Math.min(steps, 12), isWritten);
      }
      story.servers.up(ONE);
      story.destinations.heardFrom(ONE);
      expect(await story.live(1e6, true)).toBe(true);
      expect(story.heard()).toEqual(story.told);
      expect(story.contentsOfIds().every((texts) => texts.length === 1)).toBe(true);
    }),
    { numRuns: 8 },
  );
}, 120_000);
