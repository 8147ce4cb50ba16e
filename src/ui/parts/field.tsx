import type { ReactNode } from "react";
import { Input, Label, Text, TextField, type TextFieldProps } from "react-aria-components/TextField";

type FieldProps = Omit<TextFieldProps, "className" | "children"> & {
  label: string;
  placeholder?: string;
  hint?: ReactNode;
  /** What is wrong with the value; the hint gives way to it. */
  problem?: string | null;
  inputTestId?: string;
};

/** A line of text to fill in, with its label and a hint or a problem below. */
export function Field({ label, placeholder, hint, problem, inputTestId, ...rest }: FieldProps) {
  return (
    <TextField {...rest} className="field" isInvalid={Boolean(problem)}>
      <Label className="field-label">{label}</Label>
      <Input className="field-input" placeholder={placeholder} data-testid={inputTestId} />
      {problem ? (
        <Text slot="errorMessage" className="field-problem">
          {problem}
        </Text>
      ) : hint ? (
        <Text slot="description" className="field-hint">
          {hint}
        </Text>
      ) : null}
    </TextField>
  );
}
