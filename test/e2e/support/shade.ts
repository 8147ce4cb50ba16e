/*
 * The notifications of a browser, where a test can see them. Chromium without a screen throws whatever it does not show yet
 * out of its list when it is asked for the list, so that who looks at it loses what they look for. Both functions run
 * inside the page.
 */

type Note = { title: string; body: string; data: { roomId: string } };

/** Has all tabs write down what they show and take away. Runs before any script of a page. */
export function watchShade(): void {
  // A page that is not loaded yet has none.
  if (!("ServiceWorkerRegistration" in globalThis)) return;
  const { prototype } = ServiceWorkerRegistration;
  const { showNotification } = prototype;
  const read = () => JSON.parse(localStorage.getItem("test shade") ?? "{}") as { [tag: string]: Note };
  const write = (notes: { [tag: string]: Note }) => localStorage.setItem("test shade", JSON.stringify(notes));
  prototype.showNotification = async function (title, options = {}) {
    await showNotification.call(this, title, options);
    const { tag = "", body = "", data } = options;
    write({ ...read(), [tag]: { title, body, data } });
  };
  prototype.getNotifications = async ({ tag: wanted } = {}) =>
    Object.entries(read())
      .filter(([tag]) => wanted === undefined || tag === wanted)
      .map(([tag, note]) => {
        const close = () => {
          const { [tag]: _, ...others } = read();
          write(others);
        };
        return { ...note, tag, close } as unknown as Notification;
      });
}

/** What is shown. */
export async function listedByPage(): Promise<{ title: string; body: string; room: string }[]> {
  const registration = await navigator.serviceWorker.ready;
  return (await registration.getNotifications()).map(({ title, body, data }) => ({
    ...{ title, body },
    room: String((data as { roomId: string }).roomId),
  }));
}
