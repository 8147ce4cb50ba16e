/** Hearth's sign: a flame in its arch. */
export function Mark({ size = 40 }: { size?: number }) {
  return (
    <svg className="mark" width={size} height={size} viewBox="0 0 64 64" aria-hidden="true" focusable="false">
      <path className="mark-arch" d="M8 56V31a24 24 0 0 1 48 0v25h-9V32a15 15 0 0 0-30 0v24Z" />
      <path
        className="mark-flame"
        d="M33 24c1 6.5 9 10.5 9 20.2C42 51 37.6 56 32 56s-10-4.7-10-11.3c0-4 1.9-6.9 3.9-8.7.2 3 1.6 4.9 3.2 5.6C28.7 35.8 29.8 29.3 33 24Z"
      />
    </svg>
  );
}
