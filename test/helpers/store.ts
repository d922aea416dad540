/** A store in a folder of the test's own, with a clock that the test sets. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import { openStore, type Store } from "../../dist/store/store.js";

export interface TestStore {
  readonly store: Store;
  readonly dir: string;
  readonly path: string /** Epoch ms. */;
  now: number;
}

/** Closed and removed at the test's teardown. */
export function testStore(t: Test): TestStore {
  const dir = mkdtempSync(join(tmpdir(), "popup-store-"));
  const path = join(dir, "data", "popup.db");
  const state = { now: Date.parse("2026-06-10T12:00:00Z") };
  const store = openStore(path, { actor: "tester", clock: () => state.now });
  t.teardown(() => {
    store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return Object.assign(state, { store, dir, path });
}
