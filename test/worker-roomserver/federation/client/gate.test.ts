import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Gate } from "../../../../src/worker-roomserver/federation/client/gate.ts";
import { Lanes, type Standing } from "../../../../src/worker-roomserver/federation/client/lanes.ts";

const never = () => new AbortController().signal;
const soon = () => new Promise<void>((resolve) => queueMicrotask(resolve));

describe("a gate", () => {
  test("property: never lets in more than it may, and all in the order in which they came", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.boolean(), { maxLength: 40 }),
        async (most, steps) => {
          const gate = new Gate(most, 100);
          const inside: (() => void)[] = [];
          const order: number[] = [];
          let came = 0;
          for (const comes of steps) {
            if (comes) {
              const number = came++;
              void gate.enter().then((leave) => {
                order.push(number);
                if (leave) inside.push(leave);
              });
            } else inside.shift()?.();
            await soon();
            await soon();
            expect(inside.length).toBeLessThanOrEqual(most);
          }
          while (inside.length > 0) {
            inside.shift()?.();
            await soon();
            await soon();
          }
          expect(order).toEqual(Array.from({ length: came }, (_, i) => i));
          expect(gate.isIdle).toBe(true);
        },
      ),
    );
  });

  test("sends away who comes when too many wait, and forgets who gives up", async () => {
    const gate = new Gate(1, 1);
    const leave = await gate.enter();
    const controller = new AbortController();
    const waiting = gate.enter(controller.signal);
    expect(await gate.enter()).toBeUndefined();
    controller.abort();
    expect(await waiting).toBeUndefined();
    const next = gate.enter();
    leave?.();
    leave?.();
    expect(await next).toBeTypeOf("function");
    expect(await gate.enter(AbortSignal.abort())).toBeUndefined();
  });

  test("gives the place back when what was done inside fails", async () => {
    const gate = new Gate(1, 0);
    await expect(gate.run(() => Promise.reject(new Error("x")))).rejects.toThrow("x");
    expect(await gate.run(async () => 1)).toBe(1);
  });
});

describe("lanes", () => {
  const take = async (lanes: Lanes, name: string, standing: Standing, signal: AbortSignal) =>
    (await lanes.enter(name, standing, signal)) !== undefined;

  test("one server has few of them, and leaves the others to others", async () => {
    const lanes = new Lanes();
    for (let i = 0; i < 8; i++) expect(await take(lanes, "slow.example", "sound", never())).toBe(true);
    expect(await take(lanes, "slow.example", "sound", AbortSignal.timeout(1))).toBe(false);
    expect(await take(lanes, "fast.example", "sound", never())).toBe(true);
  });

  test.each<[Standing, number]>([
    ["failed", 10],
    ["new", 60],
  ])("however many do not answer, those that do have room: servers that are %s", async (standing, most) => {
    const lanes = new Lanes();
    let inside = 0;
    const controller = new AbortController();
    const hanging = Array.from({ length: 100 }, async (_, i) => {
      if (await take(lanes, `hanging${i}.example`, standing, controller.signal)) inside++;
    });
    expect(await take(lanes, "fast.example", "sound", never())).toBe(true);
    controller.abort();
    await Promise.all(hanging);
    expect(inside).toBe(most);
  });

  test("those that failed take no places of those that were never asked", async () => {
    const lanes = new Lanes();
    for (let i = 0; i < 100; i++) void lanes.enter(`gone${i}.example`, "failed", never());
    for (let i = 0; i < 50; i++) expect(await take(lanes, `new${i}.example`, "new", never())).toBe(true);
  });

  test("who was never asked has one place like others, and the rest among those that failed", async () => {
    const lanes = new Lanes();
    const controller = new AbortController();
    let inside = 0;
    const all = Array.from({ length: 160 }, async (_, i) => {
      if (await take(lanes, `new${i % 20}.example`, "new", controller.signal)) inside++;
    });
    expect(await take(lanes, "another.example", "new", never())).toBe(true);
    controller.abort();
    await Promise.all(all);
    expect(inside).toBe(20 + 10);
  });

  test("who gives up on the way in leaves no place taken", async () => {
    const lanes = new Lanes();
    const places: (() => void)[] = [];
    for (let i = 0; i < 10; i++) {
      places.push((await lanes.enter(`${i}.example`, "failed", never())) ?? expect.fail("no place"));
    }
    for (let i = 0; i < 20; i++)
      expect(await take(lanes, "late.example", "failed", AbortSignal.timeout(1))).toBe(false);
    for (const leave of places) leave();
    expect(await take(lanes, "late.example", "failed", never())).toBe(true);
  });
});
