import { access, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PeerUnavailable } from "./bench-error.ts";
import { output, run } from "./command.ts";
import { PEERS_FOLDER, WORK_FOLDER } from "./folders.ts";
import type { InstallContext } from "./peer.ts";

const LIMIT_MS = 5 * 60_000;

/** The folder of a peer that comes from npm. */
export function peerFolder(name: string): string {
  return join(PEERS_FOLDER, name);
}

/** The path of a file of a package installed for a peer. */
export function packageFile(peer: string, packageName: string, ...path: readonly string[]): string {
  return join(peerFolder(peer), "node_modules", packageName, ...path);
}

/** The version of a package as it lies in the peer's folder; null when it is not there. */
export async function installedVersion(peer: string, packageName: string): Promise<string | null> {
  try {
    const text = await readFile(packageFile(peer, packageName, "package.json"), "utf8");
    const manifest: { version: string } = JSON.parse(text);
    return manifest.version;
  } catch {
    return null;
  }
}

/**
 * Installs exact versions of npm packages for a peer, unless they are there already. Install scripts are not
 * run. What npm installed is read back: it takes an older version by itself where the newest wants another Node.
 * @throws PeerUnavailable when npm fails or installs something else.
 */
export async function installFromNpm(
  peer: string,
  dependencies: Readonly<Record<string, string>>,
  { signal, progress }: InstallContext,
): Promise<void> {
  if ((await wrongVersions(peer, dependencies)).length === 0) return;
  progress(
    `installing ${Object.entries(dependencies)
      .map((pair) => pair.join("@"))
      .join(" ")}`,
  );
  const folder = peerFolder(peer);
  await mkdir(folder, { recursive: true });
  const manifest = { name: `bench-${peer}`, private: true, type: "module", dependencies };
  await writeFile(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  const args = ["install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"];
  const command = { file: "npm", args, cwd: folder, wholeEnvironment: true };
  try {
    await run(command, { signal, limitMs: LIMIT_MS, logFile: join(WORK_FOLDER, `${peer}.install.log`) });
  } catch {
    signal.throwIfAborted();
    throw new PeerUnavailable(`npm could not install it; what it says is in bench/.work/${peer}.install.log`);
  }
  const wrong = await wrongVersions(peer, dependencies);
  if (wrong.length > 0) throw new PeerUnavailable(`npm installed something else: ${wrong.join(", ")}`);
}

async function wrongVersions(peer: string, wanted: Readonly<Record<string, string>>): Promise<string[]> {
  const found = await Promise.all(
    Object.entries(wanted).map(async ([name, version]) => {
      const installed = await installedVersion(peer, name);
      return installed === version ? [] : [`${name} ${installed ?? "missing"} instead of ${version}`];
    }),
  );
  return found.flat();
}

/**
 * Installs packages of the system's package manager (Debian and its kin), unless all `paths` are there already.
 * @throws PeerUnavailable when this is not root, there is no apt-get, or it fails.
 */
export async function installFromApt(
  paths: readonly string[],
  packages: readonly string[],
  { signal, progress }: InstallContext,
): Promise<void> {
  const present = async (): Promise<boolean> => (await Promise.all(paths.map(exists))).every(Boolean);
  if (await present()) return;
  const byHand = `apt-get install ${packages.join(" ")}`;
  if (!(await exists("/usr/bin/apt-get"))) {
    throw new PeerUnavailable("it is taken from Debian, and this system has no apt-get");
  }
  if (process.getuid?.() !== 0) {
    throw new PeerUnavailable(`installing it needs root; as root: ${byHand}`);
  }
  progress(`installing ${packages.join(" ")}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const logFile = join(WORK_FOLDER, `${packages[0] ?? "apt"}.install.log`);
  const install = ["install", "-y", "--no-install-recommends", ...packages];
  for (const args of [install, ["update"], install]) {
    try {
      const command = { file: "/usr/bin/apt-get", args, cwd: "/", env, wholeEnvironment: true };
      await run(command, { signal, limitMs: LIMIT_MS, logFile });
    } catch {
      signal.throwIfAborted();
    }
    if (await present()) return;
  }
  throw new PeerUnavailable(`${byHand} did not bring ${paths.join(" and ")}; what it says is in bench/.work`);
}

/** The version of an installed Debian package, with the word Debian. */
export async function debianVersion(packageName: string, { signal }: InstallContext): Promise<string> {
  const args = ["-W", "-f", "${Version}", packageName];
  const logFile = join(WORK_FOLDER, `${packageName}.version.log`);
  return `${await output({ file: "/usr/bin/dpkg-query", args, cwd: "/" }, { signal, logFile })} (Debian)`;
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
