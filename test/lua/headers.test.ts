/** Every script says what it is for, what it is given and what it answers, and reads its input in one place. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { SCRIPT_NAMES, scriptSource, usedModules } from "../../dist/redis/script.js";
import { PACKAGE_ROOT } from "../../dist/version.js";

const LUA = join(PACKAGE_ROOT, "lua");
const scripts = readdirSync(LUA).filter((name) => name.endsWith(".lua"));
const modules = readdirSync(join(LUA, "lib")).map((name) => name.replace(/\.lua$/, ""));

t.same(scripts.map((name) => name.replace(/\.lua$/, "")).sort(), [...SCRIPT_NAMES].sort(), "the engine knows every script, and no other");

for (const name of scripts) {
  t.test(`lua/${name}`, async (t) => {
    const lines = readFileSync(join(LUA, name), "utf8").split("\n");
    const header = lines.slice(
      0,
      lines.findIndex((line) => !line.startsWith("--")),
    );
    const code = lines.slice(header.length).filter((line) => !line.trim().startsWith("--"));
    t.match(header[0], /^-- [A-Z].{20,}/, "begins with its purpose");
    for (const part of [/^-- KEYS {2}\S/, /^-- ARGV {2}\S/, /^-- Returns \{'/, /^-- @use/])
      t.ok(
        header.some((line) => part.test(line)),
        `has a line ${String(part)}`,
      );

    const returns = header.slice(header.findIndex((line) => line.startsWith("-- Returns"))).join("\n");
    for (const [, tag] of code.join("\n").matchAll(/(?:return \{ |requests\.answer\()'(\w+)'/g))
      t.ok(returns.includes(`'${tag ?? ""}'`), `the header explains the reply '${tag ?? ""}'`);

    // After the first statement that does something, only a run that the header explains is read, by a computed index.
    const start = code.findIndex((line) => /^\s*(if|for|local list,|redis\.call)/.test(line));
    t.ok(start > 0, "the named inputs come first");
    t.notMatch(code.slice(start).join("\n"), /\b(KEYS|ARGV)\[\d+\]/, "no input is read by its number below them");
    for (const table of ["KEYS", "ARGV"]) {
      const numbers = [
        ...code
          .slice(0, start)
          .join("\n")
          .matchAll(new RegExp(`\\b${table}\\[(\\d+)\\]`, "g")),
      ].map((match) => Number(match[1]));
      t.same(
        numbers,
        numbers.map((_, i) => i + 1),
        `${table} are named in their order, each once`,
      );
      if (code.slice(start).join("\n").includes(`${table}[`)) t.match(header.join("\n"), /\b(every|then)\b/, `the header explains the run of ${table}`);
    }

    const uses = usedModules(header.join("\n"))?.map((module) => module.name) ?? [];
    const source = scriptSource(SCRIPT_NAMES.find((known) => `${known}.lua` === name) ?? "select");
    for (const module of modules) {
      t.equal(uses.includes(module), mentions(source, module), `${module} is ${mentions(source, module) ? "" : "not "}used`);
    }
    // A module is a local of those behind it; to one before it, it would be a global that is not there.
    for (const [place, module] of uses.entries()) {
      const own = readFileSync(join(LUA, "lib", `${module}.lua`), "utf8");
      for (const later of uses.slice(place + 1)) t.notOk(mentions(own, later), `${module} comes before ${later}, and does not use it`);
    }
  });
}

function mentions(source: string, module: string): boolean {
  return new RegExp(`\\b${module}\\.[a-zA-Z]`).test(source.replace(/--.*$/gm, ""));
}

t.test("nothing in a script reads a clock or a random number", async (t) => {
  for (const name of SCRIPT_NAMES) t.notMatch(scriptSource(name), /'TIME'|os\.(time|clock)|math\.random/, name);
});
