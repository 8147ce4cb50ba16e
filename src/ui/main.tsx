import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { startHearth } from "./boot/boot.ts";
import { followNotifications } from "./notifications/follow.ts";
import { accountBook } from "./state/accounts.ts";
import { Session } from "./state/session.ts";
import { SessionContext } from "./state/session-context.ts";
import { storageKey } from "./state/storage-key.ts";
import { readPersistence } from "./state/storage-persistence.ts";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/motion.css";

const keys = { list: storageKey("accounts"), choice: storageKey("account") };
const session = new Session(accountBook(keys, localStorage, sessionStorage), startHearth);
session.start();
readPersistence();
followNotifications(session);

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <SessionContext value={session}>
      <App />
    </SessionContext>
  </StrictMode>,
);
