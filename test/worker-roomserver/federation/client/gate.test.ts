import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Gate } from "../../../../src/worker-roomserver/federation/client/gate.ts";
import { Lanes } from "../../../../src/worker-roomserver/federation/client/lanes.ts";

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
  const take = async (lanes: Lanes, name: string, isDoubtful: boolean, signal: AbortSignal) =>
    (await lanes.enter(name, isDoubtful, signal)) !== undefined;

  test("one server has few of them, and leaves the others to others", async () => {
    const lanes = new Lanes();
    for (let i = 0; i < 8; i++) expect(await take(lanes, "slow.example", false, never())).toBe(true);
    expect(await take(lanes, "slow.example", false, AbortSignal.timeout(1))).toBe(false);
    expect(await take(lanes, "fast.example", false, never())).toBe(true);
  });

  test("however many do not answer, those that do have room", async () => {
    const lanes = new Lanes();
    let inside = 0;
    const controller = new AbortController();
    const hanging = Array.from({ length: 50 }, async (_, i) => {
      if (await take(lanes, `hanging${i}.example`, true, controller.signal)) inside++;
    });
    expect(await take(lanes, "fast.example", false, never())).toBe(true);
    controller.abort();
    await Promise.all(hanging);
    expect(inside).toBe(24);
  });

  test("who gives up on the way in leaves no place taken", async () => {
    const lanes = new Lanes();
    const places: (() => void)[] = [];
    for (let i = 0; i < 24; i++) {
      places.push((await lanes.enter(`${i}.example`, true, never())) ?? expect.fail("no place"));
    }
    for (let i = 0; i < 20; i++)
      expect(await take(lanes, "late.example", true, AbortSignal.timeout(1))).toBe(false);
    for (const leave of places) leave();
    expect(await take(lanes, "late.example", true, never())).toBe(true);
  });
});
