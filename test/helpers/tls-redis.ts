/** A redis-server that speaks only TLS and knows one user, beside one named `narrow` who may do next to nothing, with an authority of its own; gone with the test. */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import type { Test } from "tap";
import { freePort } from "../../dist/private-engine.js";
import { until } from "./until.js";

export interface TlsRedis {
  readonly port: number;
  /** The authority's certificate, and that of another authority. */
  readonly ca: string;
  readonly otherCa: string;
  readonly dir: string;
}

/** @param rights of the one user, as `ACL SETUSER` takes them */
export async function startTlsRedis(t: Test, { user, password, rights }: { user: string; password: string; rights: string }): Promise<TlsRedis> {
  const dir = mkdtempSync(join(tmpdir(), "popup-tls-"));
  const ca = makeAuthority(dir, "ca");
  const otherCa = makeAuthority(dir, "other");
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: dir, stdio: "ignore" });
  writeFileSync(join(dir, "names"), "subjectAltName=DNS:localhost");
  openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost");
  openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "server.pem");
  const port = await freePort();
  const hash = createHash("sha256").update(password).digest("hex");
  writeFileSync(
    join(dir, "redis.conf"),
    [
      "bind 127.0.0.1",
      "port 0",
      `tls-port ${port}`,
      "tls-cert-file server.pem",
      "tls-key-file server.key",
      "tls-ca-cert-file ca.pem",
      "tls-auth-clients no",
      'save ""',
      "maxmemory-policy noeviction",
      "logfile redis.log",
      "user default off",
      `user ${user} on #${hash} ${rights}`,
      `user narrow on #${hash} -@all +ping +info`,
    ].join("\n"),
  );
  const server = spawn("redis-server", ["redis.conf"], { cwd: dir, stdio: "ignore" });
  const exited = new Promise((resolve) => server.once("exit", resolve));
  t.teardown(async () => {
    server.kill("SIGKILL");
    await exited;
    rmSync(dir, { recursive: true, force: true });
  });
  await until("redis-server speaks TLS", () => {
    if (server.exitCode !== null) throw new Error(readFileSync(join(dir, "redis.log"), "utf8"));
    return new Promise<boolean>((resolve) => {
      const socket = connect({ host: "localhost", port, ca: readFileSync(ca) }, () => resolve(true));
      socket.once("error", () => resolve(false));
      socket.once("secureConnect", () => socket.destroy());
    });
  });
  return { port, ca, otherCa, dir };
}

function makeAuthority(dir: string, name: string): string {
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.pem`,
      "-days",
      "2",
      "-subj",
      `/CN=Test authority ${name}`,
    ],
    { cwd: dir, stdio: "ignore" },
  );
  return join(dir, `${name}.pem`);
}
