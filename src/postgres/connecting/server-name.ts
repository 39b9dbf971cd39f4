import { isIP, SocketAddress } from "node:net";

export interface CertificateNames {
  /** As Node.js writes them: `DNS:a, IP Address:::1`, values with unusual characters as JSON strings. */
  readonly alternativeNames: string;
  readonly commonName: string | null;
}

/**
 * Whether a certificate was issued for the host one wanted, by libpq's rules (manual 32.19.1): names (`DNS`) and
 * addresses (`IP`) of the certificate are both tried, a leading `*.` stands for one label, and the common name
 * counts only when no alternative name of the host's own kind is present.
 * @returns null when it was; else what the certificate is for, in words.
 */
export function serverNameProblem(host: string, certificate: CertificateNames): string | null {
  const kind = isIP(host) === 0 ? "DNS" : "IP Address";
  const names = alternativeNames(certificate.alternativeNames);
  for (const { type, value } of names) {
    if (type === "DNS" ? nameMatches(value, host) : type === "IP Address" && sameAddress(value, host))
      return null;
  }
  const { commonName } = certificate;
  if (commonName !== null && !names.some(({ type }) => type === kind)) {
    if (nameMatches(commonName, host)) return null;
    names.push({ type: "CN", value: commonName });
  }
  const listed = names.map(({ value }) => value).join(", ");
  return listed === ""
    ? "the server's certificate names no host"
    : `the server's certificate is for ${listed}, not for ${host}`;
}

function nameMatches(pattern: string, host: string): boolean {
  const wanted = host.toLowerCase();
  const given = pattern.toLowerCase();
  if (given.includes("\0")) return false;
  if (given === wanted) return true;
  if (!given.startsWith("*.") || given.length < 3) return false;
  const dot = wanted.indexOf(".");
  return dot > 0 && wanted.slice(dot) === given.slice(1);
}

function sameAddress(one: string, other: string): boolean {
  const family = isIP(one);
  if (family === 0 || family !== isIP(other)) return false;
  return family === 4 ? one === other : canonical(one) === canonical(other);
}

function canonical(address: string): string {
  return new SocketAddress({ address, family: "ipv6" }).address;
}

interface AlternativeName {
  readonly type: string;
  readonly value: string;
}

function alternativeNames(text: string): AlternativeName[] {
  const names: AlternativeName[] = [];
  for (const [, type, quoted, plain] of text.matchAll(
    /([A-Za-z ]+):(?:("(?:[^"\\]|\\.)*")|([^,]*))(?:, |$)/g,
  )) {
    const value = quoted === undefined ? (plain ?? "") : String(JSON.parse(quoted));
    names.push({ type: type!, value });
  }
  return names;
}
