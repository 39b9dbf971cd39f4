#!/usr/bin/env node
import module from "node:module";

// Before anything else is loaded, so that everything else is compiled once per machine.
module.enableCompileCache();

const argv = process.argv.slice(2);
if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-V")) {
  const { ownVersion } = await import("./version.ts");
  process.stdout.write(`${ownVersion()}\n`);
} else {
  const { runProcess } = await import("./process.ts");
  process.exit(await runProcess(argv, (status) => process.exit(status)));
}
