/** Values that help and completion offer, where another part has the say about what is right. */
import type { Argument, Option } from "commander";

/** @param parse keeps the value; what is wrong with it is found where it is used, and told there */
export function offered<T extends Option | Argument>(
  choice: T,
  values: readonly string[],
  parse: (value: string, before: never) => unknown = (value) => value,
): T {
  choice.choices([...values]);
  choice.argParser(parse as (value: string, before: unknown) => unknown);
  return choice;
}
