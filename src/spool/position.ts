/** Up to where a slot was replayed: a file `position` with one line in the form of the records. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lineOf, valueOf } from "./record.js";

/** Segments before it are done, and of it the bytes before the offset. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

const START: Position = { segment: 0, offset: 0 };

/** Where the file is missing or damaged, all is replayed from its beginning: the receiver knows what it has. */
export async function readPosition(dir: string): Promise<Position> {
  let line: Buffer;
  try {
    line = await readFile(join(dir, "position"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return START;
    throw error;
  }
  const value = valueOf(line.subarray(0, -1)) as Partial<Position> | null | undefined;
  const { segment, offset } = value ?? {};
  return segment !== undefined && offset !== undefined && Number.isSafeInteger(segment) && Number.isSafeInteger(offset) ? { segment, offset } : START;
}

/** Replaces it in one step. It is not synced: an older one costs a repetition. @throws the system's error */
export async function writePosition(dir: string, position: Position): Promise<void> {
  const file = join(dir, "position");
  await writeFile(`${file}.new`, lineOf(position), { mode: 0o600 });
  await rename(`${file}.new`, file);
}
