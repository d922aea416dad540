/**
 * Constants of the Lua modules, put where they are used. Lua 5.1 keeps them in variables, and each call of a script would make those, and the
 * functions that see them, anew.
 */

/** What a module's constants are, by name: the text of a number or string. */
export type Constants = ReadonlyMap<string, string>;

const LINE = /^local ([A-Z][A-Z0-9_]*(?:, [A-Z][A-Z0-9_]*)*) = (.+)$/;
/** A number, a sum of numbers that Lua works out when it reads the script, or a string. */
const VALUE = /^(?:\d+(?: [*^] \d+)*|'[^'\\]*')$/;
/** A string, a comment, or a name, with the module that it is looked up in. */
const WORD = /'(?:[^'\\]|\\.)*'|--.*$|(?:\b([a-z_]+)\.)?\b([A-Z][A-Z0-9_]*)\b/g;

/**
 * A module's text without the lines `local NAME, … = value, …` of its constants, and with the values in their places, also where it names those
 * of another module, as `module.NAME`. A line stays a line, so an error's line is still that of the files as they stand together.
 * @param others the constants of the modules before it
 */
export function putConstants(text: string, others: ReadonlyMap<string, Constants>): { readonly text: string; readonly constants: Constants } {
  const own = new Map<string, string>();
  const put = (line: string): string =>
    line.replace(WORD, (word, module: string | undefined, name: string | undefined) => {
      const value = name === undefined ? undefined : (module === undefined ? own : others.get(module))?.get(name);
      return value ?? word;
    });
  const lines = text.split("\n").map((written) => {
    const line = put(written);
    const [, names, values] = LINE.exec(line) ?? [];
    const found = values?.split(", ") ?? [];
    if (names === undefined || !found.every((value) => VALUE.test(value))) return line;
    for (const [i, name] of names.split(", ").entries()) own.set(name, inPlace(found[i] ?? "nil"));
    return "";
  });
  return { text: lines.join("\n"), constants: own };
}

const inPlace = (value: string): string => (value.includes(" ") && !value.startsWith("'") ? `(${value})` : value);
