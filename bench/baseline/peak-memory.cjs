// Loaded into the measured process before its program: writes the most memory it ever had, when it ends.
// getrusage() would count the parent's memory too, from between fork and exec; VmHWM starts anew with the program.
const { readFileSync, writeFileSync } = require("node:fs");

process.once("exit", () => {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))[1];
  writeFileSync(process.env.PEAK_MEMORY_FILE, kilobytes);
});
