/** What may have been meant by a word that is not known. */
import { closestMatch } from "leven";

/** So many letters may be wrong, and four in ten of them (two that changed places are two): of more, another word was meant. */
const MOST_WRONG = 3;
const LONGEST = 100;

/** The choice that is most like the word, or undefined when none is like it. Capitals do not matter. */
export function nearest(word: string, choices: readonly string[]): string | undefined {
  // A long word is no slip of one choice, and the distance costs its length squared.
  if (word.length === 0 || word.length > LONGEST) return undefined;
  const maxDistance = Math.min(MOST_WRONG, Math.max(1, Math.floor(word.length * 0.4)));
  const small = choices.map((choice) => choice.toLowerCase());
  const meant = closestMatch(word.toLowerCase(), small, { maxDistance });
  return meant === undefined ? undefined : choices[small.indexOf(meant)];
}

/** `did you mean active? `, to begin a hint with; empty when none of the choices is like the word. */
export function didYouMean(word: string, choices: readonly string[]): string {
  const meant = nearest(word, choices);
  return meant === undefined ? "" : `did you mean ${meant}? `;
}
