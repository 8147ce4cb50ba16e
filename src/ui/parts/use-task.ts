import { useCallback, useState } from "react";
import { explainError } from "../model/explain-error.ts";

export type Task = {
  busy: boolean;
  /** Why the last run failed, as a sentence. */
  problem: string | null;
  /** Runs `work`; answers whether it went well. */
  run(work: () => Promise<unknown>): Promise<boolean>;
};

/** Something a user asked for that takes a while and may fail. */
export function useTask(): Task {
  const [state, setState] = useState<{ busy: boolean; problem: string | null }>({
    busy: false,
    problem: null,
  });
  const run = useCallback(async (work: () => Promise<unknown>) => {
    setState({ busy: true, problem: null });
    try {
      await work();
      setState({ busy: false, problem: null });
      return true;
    } catch (error) {
      setState({ busy: false, problem: explainError(error) });
      return false;
    }
  }, []);
  return { ...state, run };
}
