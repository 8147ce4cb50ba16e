type Watched = Pick<EventTarget, "addEventListener" | "removeEventListener">;

/**
 * Says when the browser is about to stop this page, and when it goes on. A page that is only out of sight works on; it is
 * awake for certain when it comes into sight, whatever the browser has left out.
 * @returns how to stop that
 */
export function watchSleep(
  tell: (asleep: boolean) => void,
  page: Watched & Pick<Document, "visibilityState"> = document,
  view: Watched = window,
): () => void {
  const sleep = () => tell(true);
  const wake = () => tell(false);
  const onVisibility = () => {
    if (page.visibilityState === "visible") wake();
  };
  const listeners: [target: Watched, type: string, listener: () => void][] = [
    [page, "freeze", sleep],
    [page, "resume", wake],
    [page, "visibilitychange", onVisibility],
    [view, "pagehide", sleep],
    [view, "pageshow", wake],
  ];
  for (const [target, type, listener] of listeners) target.addEventListener(type, listener);
  return () => {
    for (const [target, type, listener] of listeners) target.removeEventListener(type, listener);
  };
}
