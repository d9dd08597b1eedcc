import { InvalidArgumentError } from "commander";

/** Reads an option that is a whole number within these bounds; anything else is an error that says so. */
export function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (text.trim() === "" || !Number.isInteger(number) || number < min || number > max)
      throw new InvalidArgumentError(`want a whole number from ${min} to ${max}`);
    return number;
  };
}
