import { expect, test } from "vitest";
import { watchSleep } from "../../../src/ui/boot/sleep.ts";

function watched() {
  const told: boolean[] = [];
  const page = Object.assign(new EventTarget(), { visibilityState: "visible" as DocumentVisibilityState });
  const view = new EventTarget();
  const stop = watchSleep((asleep) => told.push(asleep), page, view);
  return {
    ...{ told, stop, view },
    happens: (type: string, visibilityState = page.visibilityState) => {
      page.visibilityState = visibilityState;
      page.dispatchEvent(new Event(type));
    },
  };
}

test("a page that is frozen sleeps, and wakes when it goes on", () => {
  const { told, happens } = watched();
  happens("freeze");
  happens("resume");
  expect(told).toEqual([true, false]);
});

test("a page that goes sleeps; one that comes back from the browser's cache is awake", () => {
  const { told, view } = watched();
  view.dispatchEvent(new Event("pagehide"));
  view.dispatchEvent(new Event("pageshow"));
  expect(told).toEqual([true, false]);
});

test("a page out of sight works on; one that is looked at is awake, whatever was said before", () => {
  const { told, happens } = watched();
  happens("visibilitychange", "hidden");
  expect(told).toEqual([]);
  happens("freeze");
  happens("visibilitychange", "visible");
  expect(told).toEqual([true, false]);
});

test("nothing is told any more when it is stopped", () => {
  const { told, stop, happens, view } = watched();
  stop();
  happens("freeze");
  view.dispatchEvent(new Event("pagehide"));
  expect(told).toEqual([]);
});
