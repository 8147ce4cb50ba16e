import { useEffect, useState } from "react";
import { formatBytes } from "../model/format-bytes.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { askToKeepStorage, type Persistence, persistence } from "../state/storage-persistence.ts";
import { useStore } from "../state/store.ts";

const words: Record<Persistence, string> = {
  unknown: "The browser may clear it when disk space gets short.",
  asking: "The browser has been asked to keep it.",
  granted: "The browser keeps it, also when disk space gets short.",
  denied: "The browser may clear it when disk space gets short; it said no to keeping it for now.",
  unsupported: "The browser decides how long it keeps it.",
};

/** How much the homeserver has stored, and whether the browser promised to keep it. */
export function StorageLine() {
  const { value } = useStore(persistence);
  const [used, setUsed] = useState<number | null>(null);
  useEffect(() => {
    let current = true;
    navigator.storage?.estimate?.().then(
      ({ usage }) => current && setUsed(usage ?? null),
      () => current && setUsed(null),
    );
    return () => {
      current = false;
    };
  }, []);
  return (
    <>
      <span data-testid="storage-line" data-persistence={value}>
        {used !== null && `${formatBytes(used)} in use. `}
        {words[value]}
      </span>
      {(value === "unknown" || value === "denied") && (
        <ActionButton onPress={askToKeepStorage}>Ask the browser to keep it</ActionButton>
      )}
    </>
  );
}
