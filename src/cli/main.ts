#!/usr/bin/env node
import module from "node:module";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `error[USAGE]: godwit needs Node.js 22.18 or newer; this is ${process.versions.node}\n` +
      "  hint: install a newer Node.js, or run it with one: npx -p node@24 -p godwit godwit up\n",
  );
  process.exit(2);
}

// Before anything else is loaded, so that everything else is compiled once per machine.
module.enableCompileCache();

const argv = process.argv.slice(2);
if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-V")) {
  const { ownVersion } = await import("./version.ts");
  process.stdout.write(`${ownVersion()}\n`);
} else {
  const { compileBaselineOnMainThread, finishCompiling } = await import("./compile-flags.ts");
  const { saveCompiled } = await import("./cached-bundles.ts");
  compileBaselineOnMainThread();
  const leave = (status: number): never => {
    if (status === 0) saveCompiled();
    finishCompiling();
    process.exit(status);
  };
  const { runProcess } = await import("./process.ts");
  leave(await runProcess(argv, leave));
}
