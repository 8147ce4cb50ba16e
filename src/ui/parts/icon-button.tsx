import { Button, type ButtonProps } from "react-aria-components/Button";
import { Icon, type IconName } from "./icon.tsx";

type IconButtonProps = Omit<ButtonProps, "className" | "children" | "aria-label"> & {
  icon: IconName;
  label: string;
};

/** A button that is only a drawing: `label` is what it does, for screen readers and as a tooltip. */
export function IconButton({ icon, label, ...rest }: IconButtonProps) {
  return (
    <span className="icon-button-frame" title={label}>
      <Button {...rest} className="icon-button" aria-label={label}>
        <Icon name={icon} />
      </Button>
    </span>
  );
}
