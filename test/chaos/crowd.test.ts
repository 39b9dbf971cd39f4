import { describe, it } from "vitest";
import { chaosOptions, seedsOf } from "./options.ts";
import { randomOf } from "./random.ts";
import { crowdSchedule, sampleSchedule } from "./schedule.ts";
import { expectAtRest, simply, stage, suffer } from "./stage.ts";
import { ADVISORY } from "./variant.ts";

const options = chaosOptions(process.env);
const { seed, processes, majors, full } = options;
/** A restart strikes everybody, so that fewer have to wait for it. */
const AT_RESTARTS = 3;

/** Where time is short, each way under faults on one server. */
const isTurnOf = (major: number, verb: "up" | "down"): boolean =>
  full || majors.length === 1 || majors.indexOf(major as never) % 2 === (verb === "up" ? 0 : 1);

describe.each(majors)("PostgreSQL %i", (major) => {
  describe.each(seedsOf(options))(`seed ${seed}, round of %i`, (own) => {
    it(`${processes} processes, the holder struck at every point`, async () => {
      const here = await stage(major, () => ADVISORY);
      for (const argv of [["up"], ["down", "--all"]] as const) {
        const [verb] = argv;
        if (isTurnOf(major, verb)) {
          const schedule = crowdSchedule(verb, randomOf(own), full ? 1 : 0.1);
          await suffer(here, argv, schedule, processes);
          await expectAtRest(here);
        }
        await simply(here, argv);
      }
      await expectAtRest(here);
    });

    it("the server restarted at its points", async () => {
      const here = await stage(major, () => ADVISORY);
      const schedule = sampleSchedule("up", randomOf(own), { many: full ? Infinity : 4, kinds: ["restart"] });
      await suffer(here, ["up"], schedule, AT_RESTARTS);
      await expectAtRest(here);
    });
  });
});
