import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { isIP } from "node:net";
import type { Socket } from "node:net";
import tls from "node:tls";
import type { ConnectionSettings } from "../types.ts";
import { codeOf, ConnectFailure, isPassingSystemError, messageOf, systemFailure } from "./connect-failure.ts";
import { settled } from "./dial.ts";
import type { CertificateNames } from "./server-name.ts";
import { serverNameProblem } from "./server-name.ts";

/**
 * Turns a socket into a TLS connection, with libpq's meaning of sslmode (manual 32.19): the chain is verified
 * whenever the root certificate file exists, the host name only under verify-full.
 * @param host the name to verify and to send for SNI; empty when only an address is known.
 * @throws ConnectFailure; the signal's reason when it is aborted.
 */
export async function encrypt(
  socket: Socket,
  host: string,
  settings: ConnectionSettings,
  signal: AbortSignal,
): Promise<tls.TLSSocket> {
  try {
    if (settings.sslmode === "verify-full" && host === "") {
      throw refusal(
        "sslmode=verify-full needs a host name, and only an address is given",
        "give host= as well",
      );
    }
    const options = { ...(await verification(settings)), ...(await clientCertificate(settings)) };
    signal.throwIfAborted();
    const secured = tls.connect({
      ...options,
      socket,
      servername: settings.sslsni && isIP(host) === 0 ? host : "",
      checkServerIdentity: () => undefined,
      minVersion: settings.sslMinProtocolVersion ?? "TLSv1.2",
      maxVersion: settings.sslMaxProtocolVersion ?? "TLSv1.3",
      ALPNProtocols: ["postgresql"],
    });
    secured.on("error", () => undefined);
    await settled(secured, "secureConnect", signal);
    checkServer(secured, host, settings);
    return secured;
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw tlsFailure(error).but({ otherEncryption: true });
  }
}

function checkServer(secured: tls.TLSSocket, host: string, settings: ConnectionSettings): void {
  let problem: string | null = null;
  if (settings.sslmode === "verify-full") {
    // Not getPeerX509Certificate(): after it the driver's getPeerCertificate(), for channel binding, finds none.
    problem = serverNameProblem(host, namesOf(new X509Certificate(secured.getPeerCertificate().raw)));
  }
  if (problem === null && settings.sslnegotiation === "direct" && secured.alpnProtocol !== "postgresql") {
    problem = "what answers there does not speak PostgreSQL's protocol over TLS";
  }
  if (problem !== null) {
    secured.destroy();
    throw refusal(problem, "connect by the name the certificate was issued for, or write sslmode=verify-ca");
  }
}

function namesOf(certificate: X509Certificate): CertificateNames {
  const commonName = certificate.toLegacyObject().subject?.CN;
  return {
    alternativeNames: certificate.subjectAltName ?? "",
    commonName: (Array.isArray(commonName) ? commonName[0] : commonName) ?? null,
  };
}

async function verification(settings: ConnectionSettings): Promise<tls.ConnectionOptions> {
  const { sslrootcert, sslmode } = settings;
  if (sslrootcert === "system") return { ca: systemCertificates(), rejectUnauthorized: true };
  const ca = sslrootcert === null ? null : await readIfThere(sslrootcert);
  if (ca === null) {
    if (!sslmode.startsWith("verify")) return { rejectUnauthorized: false };
    throw refusal(
      `the root certificate file ${sslrootcert ?? "~/.postgresql/root.crt"} does not exist`,
      "name one with sslrootcert=, or write sslrootcert=system for a certificate of a public authority",
    );
  }
  const crl = settings.sslcrl ? await readIfThere(settings.sslcrl) : null;
  return { ca, rejectUnauthorized: true, ...(crl === null ? {} : { crl }) };
}

/** What the operating system trusts; Node.js's own list of public authorities where it keeps none. */
function systemCertificates(): string[] {
  const system = tls.getCACertificates("system");
  return system.length > 0 ? system : [...tls.rootCertificates];
}

async function clientCertificate(settings: ConnectionSettings): Promise<tls.ConnectionOptions> {
  const cert = settings.sslcert === null ? null : await readIfThere(settings.sslcert);
  if (cert === null) return {};
  const file = settings.sslkey;
  const facts = file === null ? null : await stat(file).catch(() => null);
  if (file === null || facts === null) {
    throw refusal(
      `there is a client certificate (${settings.sslcert}) but no private key (${file ?? "~/.postgresql/postgresql.key"})`,
      "name the key with sslkey=, or write sslcertmode=disable",
    );
  }
  // libpq's rule: nobody else may read the key, but root may let a group read a key of its own.
  const forbidden = facts.uid === 0 ? 0o037 : 0o077;
  if (process.platform !== "win32" && (!facts.isFile() || (facts.mode & forbidden) !== 0)) {
    throw refusal(`others may read the private key ${file}, so it is not used`, `chmod 600 ${file}`);
  }
  return {
    cert,
    key: await readFile(file),
    ...(settings.sslpassword === null ? {} : { passphrase: settings.sslpassword }),
  };
}

async function readIfThere(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return null;
    throw refusal(`${file} cannot be read (${codeOf(error) ?? messageOf(error)})`, "check its permissions");
  }
}

function refusal(reason: string, hint: string): ConnectFailure {
  return new ConnectFailure(reason, { next: "stop", retryable: false, hint });
}

const HINTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "renew the server's certificate",
  CERT_REVOKED: "the list of revoked certificates (sslcrl) has the server's certificate",
  UNABLE_TO_GET_CRL:
    "the list of revoked certificates (sslcrl) has none of the authority that signed the certificate",
};
const UNTRUSTED =
  "name the certificate of the authority that signed the server's with sslrootcert=, or write sslmode=require " +
  "to encrypt without verifying (and no root certificate file)";

function tlsFailure(error: unknown): ConnectFailure {
  if (error instanceof ConnectFailure) return error;
  const code = codeOf(error);
  if (isPassingSystemError(code)) {
    return new ConnectFailure("the connection broke during the TLS handshake", {
      next: "stop",
      retryable: true,
      code: code!,
      cause: error,
    });
  }
  if (code === undefined) return systemFailure(error).but({ next: "stop" });
  const unverified = /CERT|VERIFY|ISSUER|CRL|SELF_SIGNED/.test(code);
  return new ConnectFailure(
    unverified
      ? `the server's certificate is not trusted: ${messageOf(error)}`
      : `TLS failed: ${messageOf(error)}`,
    {
      next: "stop",
      retryable: false,
      code,
      ...(unverified ? { hint: HINTS[code] ?? UNTRUSTED } : {}),
      cause: error,
    },
  );
}
