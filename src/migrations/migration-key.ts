/** What a migration is called across streams: `<stream>/<id>`. */
export function keyOf(stream: string, id: string): string {
  return `${stream}/${id}`;
}
