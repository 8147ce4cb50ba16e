import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

/** The newest message, or the first row in view and how far it is from the upper edge, in CSS pixels. */
type Anchor = "bottom" | { row: Element; top: number };

/** So close to the lower end counts as being there, in CSS pixels. */
const tolerance = 48;

/**
 * Keeps what is being read where it is while rows come and go above and below: at the lower end the newest
 * message stays in view, anywhere else the first visible row does. Browsers' own scroll anchoring is switched
 * off in the style sheet, as Safari has none.
 */
export function useScrollAnchor(scroller: RefObject<HTMLElement | null>) {
  const anchor = useRef<Anchor>("bottom");
  const [atBottom, setAtBottom] = useState(true);

  const restore = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    if (anchor.current === "bottom") element.scrollTop = element.scrollHeight;
    else if (anchor.current.row.isConnected) {
      element.scrollTop += topIn(element, anchor.current.row) - anchor.current.top;
    }
  }, [scroller]);

  useLayoutEffect(restore);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const onScroll = () => {
      const distance = element.scrollHeight - element.scrollTop - element.clientHeight;
      anchor.current = distance <= tolerance ? "bottom" : firstVisible(element);
      setAtBottom(distance <= tolerance);
    };
    element.addEventListener("scroll", onScroll, { passive: true });
    const sizes = new ResizeObserver(restore);
    sizes.observe(element);
    if (element.firstElementChild) sizes.observe(element.firstElementChild);
    return () => {
      element.removeEventListener("scroll", onScroll);
      sizes.disconnect();
    };
  }, [scroller, restore]);

  const jumpToBottom = useCallback(() => {
    anchor.current = "bottom";
    setAtBottom(true);
    restore();
  }, [restore]);

  return { atBottom, jumpToBottom };
}

function topIn(scroller: Element, row: Element): number {
  return row.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
}

/** Rows stand in order, so that a binary search finds the first one in view. */
function firstVisible(scroller: Element): Anchor {
  const rows = scroller.querySelectorAll("[data-row]");
  const edge = scroller.getBoundingClientRect().top;
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]!.getBoundingClientRect().bottom > edge) high = middle;
    else low = middle + 1;
  }
  const row = rows[low];
  return row ? { row, top: topIn(scroller, row) } : "bottom";
}
