/** Shows a result of a chaos test to whoever runs it, whether it passes or not. */
export function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}
