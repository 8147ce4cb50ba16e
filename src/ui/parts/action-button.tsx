import type { ReactNode } from "react";
import { Button, type ButtonProps } from "react-aria-components/Button";

type ActionButtonProps = Omit<ButtonProps, "className" | "children"> & {
  look?: "primary" | "quiet" | "danger";
  children: ReactNode;
};

/** A button with words on it. */
export function ActionButton({ look = "quiet", children, ...rest }: ActionButtonProps) {
  return (
    <Button {...rest} className={`button button-${look}`}>
      {children}
    </Button>
  );
}
