import { useEffect, useState } from "react";
import { ActionButton } from "./action-button.tsx";
import { Icon } from "./icon.tsx";

/** Copies `value` to the clipboard and says so for a moment. */
export function CopyButton({ value, label = "Copy" }: { value: string; label?: string }) {
  const [outcome, setOutcome] = useState<"copied" | "refused" | null>(null);
  useEffect(() => {
    if (outcome === null) return;
    const timer = setTimeout(() => setOutcome(null), 2000);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = () => {
    navigator.clipboard.writeText(value).then(
      () => setOutcome("copied"),
      () => setOutcome("refused"),
    );
  };
  return (
    <ActionButton onPress={copy}>
      <Icon name={outcome === "copied" ? "check" : "copy"} size={16} />
      <span aria-live="polite">
        {outcome === "copied" ? "Copied" : outcome === "refused" ? "Select and copy by hand" : label}
      </span>
    </ActionButton>
  );
}
