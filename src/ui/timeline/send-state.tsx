import type { TimelineEvent } from "../model/timeline-event.ts";
import { Icon } from "../parts/icon.tsx";

const looks = {
  sending: { icon: "clock", words: "Sending" },
  sent: { icon: "check", words: "Sent" },
  failed: { icon: "alert", words: "Not sent" },
} as const;

export function SendState({ status }: { status: TimelineEvent["status"] }) {
  const { icon, words } = looks[status];
  return (
    <span className="send-state" data-status={status} title={words}>
      <Icon name={icon} size={13} />
      <span className="visually-hidden">{words}</span>
    </span>
  );
}
