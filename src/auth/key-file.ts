/** A file of keys that may be exchanged while the engine runs: read again when it changes. */
import { readFile, stat } from "node:fs/promises";
import { PopupError, reasonOf } from "../errors.js";
import type { TokenKeys } from "./token-keys.js";

/** How often the file's time is looked at. */
const LOOK_MS = 2_000;
type Parse = (bytes: Buffer, name: string) => Promise<TokenKeys>;

export interface KeyFile {
  readonly current: TokenKeys;
  close(): void;
}

/**
 * @param onChange told when the file was read again, with the error when the old keys stay; once for each state of the file
 * @throws PopupError `bad_file` when the first reading fails
 */
export async function openKeyFile(path: string, parse: Parse, onChange: (error: unknown) => void, lookMs = LOOK_MS): Promise<KeyFile> {
  let seen = await stateOf(path);
  let current = await parse(await read(path), path);
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    try {
      // Before the reading: what is written during it makes another state.
      const state = await stateOf(path);
      if (state === seen) return;
      seen = state;
      current = await parse(await read(path), path);
      onChange(undefined);
    } catch (error) {
      onChange(error);
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), lookMs);
  timer.unref();
  return {
    get current() {
      return current;
    },
    close: () => clearInterval(timer),
  };
}

/** Changes with the file's content; a replaced file has another inode even within one tick of its clock. */
async function stateOf(path: string): Promise<string> {
  return stat(path, { bigint: true }).then(
    ({ mtimeNs, size, ino }) => `${mtimeNs} ${size} ${ino}`,
    () => "away",
  );
}

async function read(path: string): Promise<Buffer> {
  return readFile(path).catch((error: unknown) => {
    throw new PopupError("bad_file", `${path} cannot be read: ${reasonOf(error)}`, { hint: "name a file that the engine's user can read", cause: error });
  });
}
