import type { Reporter, SerializedError, TestModule, TestSuite, Vitest } from "vitest/node";

/**
 * Prints `N passed, N failed` (and `, N skipped` if any were) as the very last line of a run, over all projects.
 * A file or suite that could not run, an unhandled error and a run that failed by itself count as failures.
 * With CI=true skipped tests fail the run: there, everything is meant to run.
 */
export default class SummaryReporter implements Reporter {
  #passed = 0;
  #failed = 0;
  #skipped = 0;

  onInit(_vitest: Vitest): void {
    // Not when the tests end: what is torn down after them may still print and fail.
    process.once("exit", (code) => this.#report(code));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    this.#passed = 0;
    this.#skipped = 0;
    this.#failed = unhandled.length;
    for (const module of modules) {
      this.#countErrors(module);
      for (const suite of module.children.allSuites()) this.#countErrors(suite);
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") this.#passed++;
        else if (state === "failed") this.#failed++;
        else this.#skipped++;
      }
    }
    if (this.#skipped > 0 && process.env["CI"] === "true") process.exitCode ||= 1;
  }

  #countErrors(of: TestModule | TestSuite): void {
    if (of.errors().length > 0) this.#failed++;
  }

  #report(code: number): void {
    const lines: string[] = [];
    if (this.#skipped > 0 && process.env["CI"] === "true") {
      lines.push("With CI=true every test must run: the skipped ones fail the run.");
    } else if (code !== 0 && this.#failed === 0) {
      this.#failed = 1;
      lines.push(`The run itself failed, with exit status ${code}.`);
    }
    const skipped = this.#skipped > 0 ? `, ${this.#skipped} skipped` : "";
    lines.push(`${this.#passed} passed, ${this.#failed} failed${skipped}`);
    process.stdout.write(`${lines.join("\n")}\n`);
  }
}
