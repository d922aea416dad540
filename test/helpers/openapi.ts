/** Holds answers against docs/openapi.yaml: status, headers and body must be what the file says of the request, and nothing more. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { parse } from "yaml";
import { PACKAGE_ROOT } from "../../dist/version.js";

interface HeaderSpec {
  readonly required?: boolean;
  readonly schema: unknown;
}
interface ResponseSpec {
  readonly headers?: Record<string, HeaderSpec>;
  readonly content?: Record<string, { readonly schema: unknown }>;
}
interface Operation {
  readonly responses: Record<string, ResponseSpec>;
}
interface Spec {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly responses: Record<string, ResponseSpec> };
}

export interface AnswerParts {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly text: string;
}

const FILE = join(PACKAGE_ROOT, "docs/openapi.yaml");
/** Headers whose presence means something: one that the file does not name for an answer must not be there. */
const TELLING = ["popup-degraded", "allow", "retry-after", "www-authenticate"];
let opened: AnswerCheck | undefined;

/**
 * Throws, saying what differs, when the answer is not one that docs/openapi.yaml has for the request.
 * @param path with its query; pages that are no part of the API are passed over
 */
export function checkAnswer(method: string, path: string, answer: AnswerParts): void {
  if (path === "/demo" || path.startsWith("/demo/")) return;
  opened ??= new AnswerCheck(parse(readFileSync(FILE, "utf8")) as Spec);
  const problem = opened.problem(method.toLowerCase(), path.split("?")[0] ?? "", answer);
  if (problem !== undefined) throw new Error(`${method} ${path.slice(0, 100)} → ${answer.status} ${answer.text.slice(0, 300)}: docs/openapi.yaml: ${problem}`);
}

class AnswerCheck {
  readonly #ajv = formats.default(new Ajv2020({ strictTypes: false, allowUnionTypes: true }));
  readonly #validators = new Map<unknown, ValidateFunction>();
  readonly #paths: readonly { readonly pattern: RegExp; readonly methods: Record<string, Operation> }[];
  readonly #spec: Spec;

  constructor(spec: Spec) {
    this.#spec = resolved(spec, spec) as Spec;
    this.#paths = Object.entries(this.#spec.paths).map(([path, methods]) => ({ pattern: new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+")}$`), methods }));
  }

  problem(method: string, path: string, answer: AnswerParts): string | undefined {
    const { headers, status } = answer;
    const { NotFound, MethodNotAllowed } = this.#spec.components.responses;
    const methods = this.#paths.find(({ pattern }) => pattern.test(path))?.methods;
    if (!methods) return status === 404 ? this.#differs(NotFound, answer) : "there is no such path, and this is not 404";
    const operation = methods[method];
    if (!operation) {
      if (status === 204 && method === "options" && headers.get("access-control-allow-methods") !== null) return answer.text === "" ? undefined : "a body";
      if (status !== 405) return "the path has no such method, and this is not 405";
      const allowed = headers.get("allow")?.toLowerCase() ?? "";
      return allowed in methods ? this.#differs(MethodNotAllowed, answer, method === "head") : `allow: ${allowed}`;
    }
    return this.#differs(operation.responses[status], answer);
  }

  #differs(response: ResponseSpec | undefined, { status, headers, text }: AnswerParts, bodiless = false): string | undefined {
    if (response === undefined) return "this status is not there";
    for (const [name, { required, schema }] of Object.entries(response.headers ?? {})) {
      const value = headers.get(name);
      if (value === null ? required === true : !this.#validator(schema)(value)) return `header ${name}: ${String(value)}`;
    }
    const stray = TELLING.find((name) => headers.get(name) !== null && response.headers?.[name] === undefined);
    if (stray !== undefined) return `header ${stray} is not there`;
    if (bodiless || response.content === undefined) return text === "" ? undefined : "there is a body";
    const type = headers.get("content-type")?.split(";")[0] ?? "";
    const content = response.content[type];
    if (!content) return `content-type ${type}`;
    const json = JSON.parse(text) as { status?: unknown };
    const validate = this.#validator(content.schema);
    if (!validate(json)) return this.#ajv.errorsText(validate.errors, { dataVar: "body" });
    return type === "application/problem+json" && json.status !== status ? "the problem tells another status" : undefined;
  }

  #validator(schema: unknown): ValidateFunction {
    let validate = this.#validators.get(schema);
    if (!validate) this.#validators.set(schema, (validate = this.#ajv.compile(schema as object)));
    return validate;
  }
}

/** With every `$ref` replaced by what it names, and objects closed: a field that the file does not have is one that nobody was told of. */
function resolved(part: unknown, spec: unknown): unknown {
  if (Array.isArray(part)) return part.map((item) => resolved(item, spec));
  if (typeof part !== "object" || part === null) return part;
  const { $ref, ...rest } = part as Record<string, unknown>;
  if (typeof $ref === "string")
    return resolved(
      $ref
        .slice(2)
        .split("/")
        .reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], spec),
      spec,
    );
  const whole = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, resolved(value, spec)]));
  return whole.type === "object" ? { ...whole, additionalProperties: false } : whole;
}
