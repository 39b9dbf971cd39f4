import { execFile } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const NEW_KEY = ["-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

/** PEM files by path. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate authority of a test's own, made with the openssl command. */
export interface Authority extends KeyPair {
  /**
   * Issues a certificate.
   * @param names alternative names as openssl writes them: `DNS:localhost,IP:127.0.0.1`.
   */
  issue(name: string, commonName: string, names?: string): Promise<KeyPair>;
  /** A list of revoked certificates with these on it. */
  revoke(name: string, certificates: readonly string[]): Promise<string>;
}

/** Makes an authority whose files lie in a folder. */
export async function createAuthority(directory: string, name: string): Promise<Authority> {
  const file = (suffix: string): string => join(directory, `${name}${suffix}`);
  const openssl = async (...args: string[]): Promise<void> => {
    await run("openssl", args, { cwd: directory });
  };
  const authority = { certificate: file(".crt"), key: file(".key") };
  const subject = `/CN=Test authority ${name}`;
  await openssl(
    "req",
    "-x509",
    "-days",
    "2",
    ...NEW_KEY,
    "-subj",
    subject,
    "-keyout",
    authority.key,
    "-out",
    authority.certificate,
  );
  let serial = 1000;

  return {
    ...authority,
    async issue(leaf, commonName, names) {
      const [certificate, key, request, extensions] = ["crt", "key", "csr", "ext"].map((suffix) =>
        file(`-${leaf}.${suffix}`),
      );
      await openssl(
        "req",
        "-new",
        ...NEW_KEY,
        "-subj",
        `/CN=${commonName}`,
        "-keyout",
        key!,
        "-out",
        request!,
      );
      await writeFile(
        extensions!,
        names === undefined ? "basicConstraints=CA:FALSE\n" : `subjectAltName=${names}\n`,
      );
      const signing = [
        "-CA",
        authority.certificate,
        "-CAkey",
        authority.key,
        "-set_serial",
        String(++serial),
      ];
      const files = ["-in", request!, "-extfile", extensions!, "-out", certificate!];
      await openssl("x509", "-req", "-days", "2", ...signing, ...files);
      await chmod(key!, 0o600);
      return { certificate: certificate!, key: key! };
    },
    async revoke(list, certificates) {
      const [config, index, crl] = ["cnf", "index", "crl"].map((suffix) => file(`-${list}.${suffix}`));
      await writeFile(index!, "");
      await writeFile(
        config!,
        `[ca]\ndefault_ca=test\n[test]\ndatabase=${index!}\ndefault_md=sha256\ndefault_crl_days=2\nunique_subject=no\n`,
      );
      const common = ["ca", "-config", config!, "-cert", authority.certificate, "-keyfile", authority.key];
      for (const certificate of certificates) await openssl(...common, "-revoke", certificate);
      await openssl(...common, "-gencrl", "-out", crl!);
      return crl!;
    },
  };
}

/** Puts a copy of a key under a passphrase. */
export async function encryptKey(key: string, passphrase: string): Promise<string> {
  const encrypted = `${key}.encrypted`;
  await run("openssl", ["pkcs8", "-topk8", "-in", key, "-out", encrypted, "-passout", `pass:${passphrase}`]);
  await chmod(encrypted, 0o600);
  return encrypted;
}
