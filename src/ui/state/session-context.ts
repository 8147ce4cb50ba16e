import type { MatrixClient } from "matrix-js-sdk/lib/matrix.js";
import { createContext, useContext } from "react";
import type { Session, SessionState } from "./session.ts";
import { useStore } from "./store.ts";

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("SessionContext is missing above this component");
  return session;
}

export function useSessionState(): SessionState {
  return useStore(useSession().store);
}

/** The client of the account in view; only for components below the shell, which waits for it. */
export const ClientContext = createContext<MatrixClient | null>(null);

export function useClient(): MatrixClient {
  const client = useContext(ClientContext);
  if (!client) throw new Error("ClientContext is missing above this component");
  return client;
}
