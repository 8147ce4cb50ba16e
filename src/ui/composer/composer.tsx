import { type FormEvent, type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { roomName } from "../matrix/room-names.ts";
import { messageContent } from "../model/message-content.ts";
import type { TimelineEvent } from "../model/timeline-event.ts";
import { IconButton } from "../parts/icon-button.tsx";
import { MsgType, type Room } from "../sdk.ts";
import { readDraft, saveDraft } from "../state/drafts.ts";
import { useClient } from "../state/session-context.ts";
import "../styles/composer.css";
import { ReplyTarget } from "./reply-target.tsx";
import { useTypingNotice } from "./use-typing-notice.ts";

type ComposerProps = { room: Room; replyTo: TimelineEvent | null; onReplyDone(): void };

/** Where one writes: Enter sends, Shift+Enter begins a new line. */
export function Composer({ room, replyTo, onReplyDone }: ComposerProps) {
  const client = useClient();
  const me = client.getSafeUserId();
  const [text, setText] = useState(() => readDraft(me, room.roomId));
  const input = useRef<HTMLTextAreaElement>(null);
  const typing = useTypingNotice(room);
  const content = messageContent(text, replyTo);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const element = input.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);

  useEffect(() => {
    if (replyTo) input.current?.focus();
  }, [replyTo]);

  const change = (value: string) => {
    setText(value);
    saveDraft(me, room.roomId, value);
    if (value.trim() === "") typing.stop();
    else typing.keepUp();
  };
  const send = () => {
    if (!content) return;
    // The message shows in the timeline at once, and shows there too when it could not be sent.
    const msgtype = content.msgtype === "m.emote" ? MsgType.Emote : MsgType.Text;
    client
      .sendMessage(room.roomId, { ...content, msgtype })
      .catch((error: unknown) => console.debug("not sent", error));
    change("");
    onReplyDone();
    input.current?.focus();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes a character, Enter belongs to it.
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape" && replyTo) onReplyDone();
  };

  return (
    <form className="composer" onSubmit={submit}>
      {replyTo && <ReplyTarget room={room} event={replyTo} onCancel={onReplyDone} />}
      <div className="composer-row">
        <textarea
          ref={input}
          className="composer-input"
          rows={1}
          dir="auto"
          value={text}
          placeholder={`Message ${roomName(room)}`}
          aria-label={`Message ${roomName(room)}`}
          onChange={(event) => change(event.target.value)}
          onKeyDown={onKeyDown}
          data-testid="composer"
        />
        <IconButton
          icon="send"
          label="Send"
          type="submit"
          isDisabled={content === null}
          data-testid="composer-send"
        />
      </div>
    </form>
  );
}
