import { chmod, mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { isRoot, mayEnter, parsePasswd, serverUser } from "./server-user.ts";

describe("parsePasswd", () => {
  it("reads accounts and leaves out what is malformed", () => {
    expect(
      parsePasswd(
        "root:x:0:0:root:/root:/bin/sh\n# comment\n\n:x:1:1::/:\nbad:x:a:1::/:\nnobody:x:65534:65534::/:\n",
      ),
    ).toEqual([
      { name: "root", uid: 0, gid: 0 },
      { name: "nobody", uid: 65_534, gid: 65_534 },
    ]);
  });
});

describe("serverUser", () => {
  it("is somebody else than root, and nobody else than us otherwise", async () => {
    const user = await serverUser();
    expect(user === null).toBe(!isRoot());
    expect(user?.uid).not.toBe(0);
  });
});

describe("mayEnter", () => {
  it("asks for the x bit of every folder on the way, for the owner, the group and others", async () => {
    const top = await mkdtemp("/tmp/godwit-unit-");
    onTestFinished(() => rm(top, { recursive: true }));
    const inner = join(top, "inner");
    await mkdir(inner);
    await chmod(inner, 0o755);
    const { uid, gid } = await stat(top);
    const owner = { name: "owner", uid, gid };
    const member = { name: "member", uid: uid + 1, gid };
    const other = { name: "other", uid: uid + 1, gid: gid + 1 };
    const answers = async (mode: number): Promise<boolean[]> => {
      await chmod(top, mode);
      return Promise.all([owner, member, other].map((user) => mayEnter(join(inner, "not", "there"), user)));
    };
    expect(await answers(0o755)).toEqual([true, true, true]);
    expect(await answers(0o710)).toEqual([true, true, false]);
    expect(await answers(0o701)).toEqual([true, false, true]);
    expect(await answers(0o700)).toEqual([true, false, false]);
    expect(await mayEnter(inner, null)).toBe(true);
  });
});
