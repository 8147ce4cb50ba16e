import { type Content, type NameOf, type TimelineEvent, text } from "./timeline-event.ts";

/**
 * One line about a state event: who did what to the room or to whom.
 * @returns null for state that says nothing to a reader
 */
export function stateText(event: TimelineEvent, nameOf: NameOf): string | null {
  const who = nameOf(event.sender);
  switch (event.type) {
    case "m.room.member":
      return membershipText(event, nameOf);
    case "m.room.create":
      return `${who} created the room`;
    case "m.room.name": {
      const name = text(event.content, "name");
      return name === "" ? `${who} removed the room's name` : `${who} named the room “${name}”`;
    }
    case "m.room.topic": {
      const topic = text(event.content, "topic");
      return topic === "" ? `${who} removed the topic` : `${who} set the topic: ${topic}`;
    }
    case "m.room.avatar":
      return `${who} changed the room's picture`;
    case "m.room.power_levels":
      return event.prevContent === undefined ? null : `${who} changed who may do what`;
    case "m.room.join_rules":
      return event.prevContent === undefined ? null : `${who} changed who may join`;
    case "m.room.tombstone":
      return `${who} moved this room to a new one`;
    default:
      return null;
  }
}

/** @see https://spec.matrix.org/v1.19/client-server-api/#mroommember */
function membershipText(event: TimelineEvent, nameOf: NameOf): string | null {
  const target = event.stateKey ?? "";
  const self = event.sender === target;
  const who = nameOf(event.sender);
  const whom = nameOf(target);
  const reason = reasonOf(event.content);
  const before = text(event.prevContent, "membership");
  switch (text(event.content, "membership")) {
    case "join":
      return before === "join" ? profileText(event, whom) : `${whom} joined`;
    case "invite":
      return `${who} invited ${whom}${reason}`;
    case "knock":
      return `${whom} asked to join${reason}`;
    case "ban":
      return `${who} banned ${whom}${reason}`;
    case "leave":
      if (before === "ban") return `${who} lifted the ban of ${whom}`;
      if (before === "invite")
        return self ? `${whom} declined the invitation` : `${who} took back ${whom}'s invitation`;
      if (before === "knock") return self ? `${whom} no longer asks to join` : `${who} turned ${whom} down`;
      return self ? `${whom} left${reason}` : `${who} removed ${whom}${reason}`;
    default:
      return null;
  }
}

function profileText(event: TimelineEvent, whom: string): string | null {
  const [before, after] = [text(event.prevContent, "displayname"), text(event.content, "displayname")];
  if (before !== after) {
    if (after === "") return `${before} removed their name`;
    return before === "" ? `${whom} is now called ${after}` : `${before} is now called ${after}`;
  }
  const pictureChanged = text(event.prevContent, "avatar_url") !== text(event.content, "avatar_url");
  return pictureChanged ? `${whom} changed their picture` : null;
}

function reasonOf(content: Content): string {
  const reason = text(content, "reason");
  return reason === "" ? "" : `: ${reason}`;
}
