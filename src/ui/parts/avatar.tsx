import type { CSSProperties } from "react";
import { hueOf, initials } from "../model/avatar.ts";

type AvatarSize = "tiny" | "small" | "medium" | "large";

/** The initials of a person or a room, in a colour that goes with the id. The name stands beside it. */
export function Avatar({
  id,
  name,
  size = "medium",
  square = false,
}: {
  id: string;
  name: string;
  size?: AvatarSize;
  /** Rooms are square, people are round. */
  square?: boolean;
}) {
  return (
    <span
      className="avatar"
      data-size={size}
      data-square={square || undefined}
      style={{ "--hue": hueOf(id) } as CSSProperties}
      aria-hidden="true"
    >
      {size === "tiny" ? initials(name).slice(0, 1) : initials(name)}
    </span>
  );
}
