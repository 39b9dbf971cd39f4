import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  type Instance,
  type InstancePlaces,
  instancePlaces,
  readInstance,
  writeInstance,
} from "./instance.ts";

describe("readInstance", () => {
  it("gives back what was written", async () => {
    const places = await somePlaces();
    expect(await readInstance(places)).toBeNull();
    for (const home of places.homes) {
      const instance = { ...someInstance, home };
      await writeInstance(places, instance);
      expect(await readInstance(places)).toEqual(instance);
    }
  });

  it("takes a moved project's server for its own", async () => {
    const places = await somePlaces();
    await writeInstance(places, { ...someInstance, home: "/old/place/.godwit/postgres" });
    expect(await readInstance(places)).toMatchObject({ home: places.homes[0] });
  });

  it("follows no pointer to anywhere else", async () => {
    const places = await somePlaces();
    for (const home of ["/etc", join(dirname(places.homes[1]), "0123456789abcdef"), ""]) {
      await writeInstance(places, { ...someInstance, home });
      await expect(readInstance(places)).rejects.toMatchObject({ code: "EMBEDDED_UNAVAILABLE" });
    }
  });

  it.each(["", "{", "null", "[]", "7", `{"version":2}`, `{"version":1,"home":"/x","password":1}`])(
    "refuses %j, naming the file",
    async (text) => {
      const places = await somePlaces();
      await writeFile(places.file, text);
      await expect(readInstance(places)).rejects.toMatchObject({
        code: "EMBEDDED_UNAVAILABLE",
        message: expect.stringContaining(places.file),
      });
    },
  );
});

const someInstance: Omit<Instance, "home"> = {
  version: 1,
  password: "p",
  port: 21_000,
  platform: "linux-x64",
};

async function somePlaces(): Promise<InstancePlaces> {
  const project = await realpath(await mkdtemp(join(tmpdir(), "godwit-unit-")));
  onTestFinished(() => rm(project, { recursive: true }));
  const places = await instancePlaces(project, {});
  await mkdir(places.directory, { recursive: true });
  return places;
}
