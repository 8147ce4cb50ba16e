/** Content as it came: whoever sent it may have put anything in. */
export type Content = Readonly<Record<string, unknown>>;

/** What the page needs to know of an event to show it. */
export type TimelineEvent = {
  /** Stays the same while a message goes from being sent to sent, unlike its id. */
  key: string;
  id: string;
  type: string;
  /** Absent for events that are not state. */
  stateKey?: string;
  sender: string;
  /** Milliseconds since 1970. */
  ts: number;
  content: Content;
  /** The content of the state event this one replaced; absent when there was none. */
  prevContent?: Content;
  status: "sending" | "sent" | "failed";
  redacted: boolean;
  edited: boolean;
  /** The id of the event this one answers. */
  replyTo?: string;
};

/** Turns a user id into what the page calls that user. */
export type NameOf = (userId: string) => string;

/** A string of the content, or the empty string. */
export function text(content: Content | undefined, key: string): string {
  const value = content?.[key];
  return typeof value === "string" ? value : "";
}
