/** What `npm pack` packs is what runs, and runs where it was unpacked. `npm run pack-test` does the same with a true install. */
import "./helpers/uncovered.js";
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import t from "tap";
import { PACKAGE_ROOT, VERSION } from "../dist/version.js";
import { bareNode } from "./helpers/node.js";
import { packInto } from "./pack/pack.js";

const RUNS =
  /^(?:LICENSE|README\.md|CHANGELOG\.md|package\.json|bin\/popup\.js|dist\/.+\.(?:js|d\.ts)|lua\/.+\.lua|web\/.+\.(?:html|css|js|svg)|fixtures\/.+\.(?:csv|json|yaml)|deploy\/(?:alerts\.yml|systemd\/.+\.(?:service|env)))$/;
const NEEDED = ["bin/popup.js", "dist/cli/main.js", "dist/client/index.d.ts", "lua/select.lua", "lua/lib/caps.lua", "fixtures/campaigns.json", "LICENSE"];

const folder = mkdtempSync(join(tmpdir(), "popup-pack-test-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const { tarball, files } = packInto(folder);

t.test("the package holds what runs, and nothing else", async (t) => {
  t.same(
    files.filter((path) => !RUNS.test(path)),
    [],
  );
  for (const path of [...NEEDED, ...readdirSync(join(PACKAGE_ROOT, "web/demo")).map((name) => `web/demo/${name}`)]) t.ok(files.includes(path), path);
  for (const name of readdirSync(join(PACKAGE_ROOT, "lua/lib"))) t.ok(files.includes(`lua/lib/${name}`), name);
});

t.test("it runs from there: its version, the demo, and the client by its name", async (t) => {
  const modules = join(folder, "node_modules");
  const home = join(modules, "popup-engine");
  mkdirSync(home, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", home, "--strip-components=1"]);
  // The dependencies beside it, as npm lays them, but not compiled anew.
  for (const name of readdirSync(join(PACKAGE_ROOT, "node_modules"))) symlinkSync(join(PACKAGE_ROOT, "node_modules", name), join(modules, name));
  const run = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)("env", [...bareNode(), ...args], { cwd: folder, env: { ...process.env, NO_COLOR: "1" } })).stdout;
  t.equal(await run("node_modules/popup-engine/bin/popup.js", "--version"), `${VERSION}\n`);
  t.match(await run("--input-type=module", "-e", 'console.log(Object.keys(await import("popup-engine/client")))'), "PopupClient");
  const shown = await run("node_modules/popup-engine/bin/popup.js", "demo");
  t.match(shown, "$ popup report\n");
  t.match(shown, /^2 +Payday savings +4 +2 /m, "counted and carried to the store");
});
