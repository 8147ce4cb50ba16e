import { lazy, Suspense } from "react";
import { useSessionState } from "./state/session-context.ts";
import { BootFailed } from "./welcome/boot-failed.tsx";
import { Opening } from "./welcome/opening.tsx";
import { Welcome } from "./welcome/welcome.tsx";

const Shell = lazy(() => import("./shell/shell.tsx").then((module) => ({ default: module.Shell })));

/** Which of the page's three faces is shown: the welcome, the way in, or the client. */
export function App() {
  const { boot, account, client, adding } = useSessionState();
  if (boot.phase === "failed" || boot.phase === "reload-needed") return <BootFailed boot={boot} />;
  if (!account || adding) return <Welcome />;
  if (!client) return <Opening />;
  return (
    <Suspense fallback={<Opening />}>
      <Shell key={account.userId} client={client} />
    </Suspense>
  );
}
