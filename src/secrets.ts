/** Keeping passwords out of what people and log collectors see: the process list, messages, logs. */

/** The user part of a URL, up to the last `@` of the word: a password may hold anything. Hints say how to write one, with USER:PASSWORD. */
const USER_PART = /\b([a-z][a-z0-9+.-]*:\/\/)(?!USER:PASSWORD@)[^\s"']*@/gi;

/** The text with `***` for the user and password of every URL in it. */
export function maskSecrets(text: string): string {
  return text.includes("://") ? text.replace(USER_PART, "$1***@") : text;
}

/**
 * Writes the command line anew where an argument holds a password, so that `ps` shows it no longer. Node keeps its own copy
 * for `process.argv`. Until this is called anyone on the machine can read it: the environment is the better place.
 */
export function hideArguments(): void {
  const masked = process.argv.slice(2).map(maskSecrets);
  if (masked.some((argument, i) => argument !== process.argv[i + 2])) process.title = ["popup", ...masked].join(" ");
}
