/** Import cycles, and imports that lead nowhere. Which folder may know which is held by test/docs.test.ts against docs/architecture.md. */
module.exports = {
  forbidden: [
    { name: "no-cycles", comment: "two files that need each other are one, or need a third", severity: "error", from: {}, to: { circular: true, dependencyTypesNot: ["type-only"] } },
    { name: "not-found", severity: "error", from: {}, to: { couldNotResolve: true, pathNot: "^csv-parse/sync$" } },
    { name: "not-from-tests", comment: "the program does without its tests and benches", severity: "error", from: { path: "^src" }, to: { path: "^(test|bench)" } },
  ],
  options: { tsConfig: { fileName: "tsconfig.json" }, tsPreCompilationDeps: true, doNotFollow: { path: "node_modules" } },
};
