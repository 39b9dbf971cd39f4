/**
 * A CommonJS module whose exports are taken from another one at their first use. They are inherited, not its own: what
 * esbuild makes of an import copies every own property of a module, for each module that imports it.
 * @param load an expression that gives the other module.
 */
export function lazyExports(names: readonly string[], load: string): string {
  const getters = names
    .map((name) => JSON.stringify(name))
    .map((name) => `get ${name}() { return load()[${name}]; }`);
  return (
    `let loaded; const load = () => (loaded ??= ${load});\n` +
    `module.exports = Object.create({ ${getters.join(", ")} });`
  );
}
