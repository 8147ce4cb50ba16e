const paths = {
  flame:
    "M12 3c.6 3.2 4.8 5.1 4.8 10a4.8 4.8 0 0 1-9.6 0c0-1.9.9-3.2 1.7-4 .1 1.5.8 2.3 1.6 2.6C10.3 8.7 10.7 5.6 12 3Z",
  plus: "M12 5v14M5 12h14",
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  send: "M5 12l14-7-4.5 14-3-5.5L5 12Z M11.5 13.5L19 5",
  people:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c.3-3.7 2.9-6 6.5-6s6.2 2.3 6.5 6M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.5c2 .9 3.3 2.8 3.5 5.5",
  settings: "M4 7h9M19 7h1M4 17h1M11 17h9M16 4.5v5M8 14.5v5",
  reply: "M9 6L4 11l5 5M4.5 11H14a6 6 0 0 1 6 6v1",
  trash: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 11v5M13.5 11v5",
  copy: "M9 9h10.5v10.5H9zM15 9V4.5H4.5V15H9",
  check: "M5 12.5l4.5 4.5L19 7.5",
  down: "M12 5v14M6 13l6 6 6-6",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  chevron: "M8 10l4 4 4-4",
  retry: "M19 12a7 7 0 1 1-2-4.9M19 4v4h-4",
  alert: "M12 8v5M12 16.5h.01M12 3.5l9 16H3l9-16Z",
  clock: "M12 7.5V12l3 2M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17Z",
  enter: "M14 4h5v16h-5M4 12h10M10.5 8l4 4-4 4",
} as const;

export type IconName = keyof typeof paths;

/** A line drawing in the colour of the text around it; the control that carries it says what it means. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === "more" ? 3 : 1.8}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={paths[name]} />
    </svg>
  );
}
