/** Why a text is not a TCP port (or, as libpq takes it, a list of ports, one per host); null when it is. */
export function portFault(text: string): string | null {
  if (/^[a-z]+:\/\//.test(text)) {
    return "is a URL, not a port: container platforms set it so for a service of that name";
  }
  const valid = text
    .split(",")
    .every((one) => one === "" || (/^\d{1,5}$/.test(one) && Number(one) >= 1 && Number(one) <= 65_535));
  return valid ? null : "is not a port: 1 to 65535";
}
