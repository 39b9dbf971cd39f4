/** Why a Redis did not do what it was asked, as a person reads it. */
export interface Reason {
  readonly reason: string;
  readonly hint?: string;
  /** Whether asking again later may work with nothing changed. */
  readonly passing: boolean;
  readonly code?: "CONFIG_INVALID";
}

const CREDENTIALS = "check user and password in lock.redis: redis://user:password@host";
const ONE_SERVER = "name a single server; a lock that its failover loses is caught by the database";

export const CLUSTER: Reason = {
  reason: "the server is part of a Cluster",
  hint: ONE_SERVER,
  passing: false,
  code: "CONFIG_INVALID",
};
export const SENTINEL: Reason = { ...CLUSTER, reason: "the server is a Sentinel" };
export const REPLICA: Reason = {
  reason: "the server is a replica that only reads",
  hint: "name the master in lock.redis",
  passing: false,
};

const NOT_ALLOWED: Reason = {
  reason: "the user may not do what the lock needs",
  hint: "grant it: ACL SETUSER <user> ~migration_* +set +get +del +eval +info +select",
  passing: false,
};

/** Answers by their first word (Redis documentation, "RESP protocol: simple errors", and the source of Redis 7). */
const ANSWERS: Readonly<Record<string, Reason>> = {
  WRONGPASS: { reason: "the password or the user was refused", hint: CREDENTIALS, passing: false },
  NOAUTH: { reason: "a password is required", hint: CREDENTIALS, passing: false },
  NOPERM: NOT_ALLOWED,
  DENIED: {
    reason: "the server is in protected mode and takes no connection from outside",
    hint: "give it a password, or bind it to an address of its own",
    passing: false,
  },
  READONLY: { ...REPLICA, passing: true },
  WRONGTYPE: {
    reason: "the key of the lock holds something that is no lock",
    hint: 'look for it: redis-cli --scan --pattern "migration_*", and delete it',
    passing: false,
  },
  LOADING: { reason: "the server is loading its data", passing: true },
  MASTERDOWN: { reason: "the server is a replica that lost its master", passing: true },
  BUSY: { reason: "the server is busy with a script", passing: true },
  OOM: { reason: "the server is out of memory", hint: "it refuses every write", passing: true },
  MISCONF: { reason: "the server cannot save its data and refuses writes", passing: true },
  MOVED: CLUSTER,
  CLUSTERDOWN: CLUSTER,
};

export const IS_IT_REDIS = "is it a Redis that listens there? One with TLS needs rediss://";
export const NOT_A_REDIS: Reason = {
  reason: "what listens there does not speak as a Redis does",
  hint: "check host and port in lock.redis; a Redis with TLS needs rediss://",
  passing: false,
};

/** What answers with the unspecific `ERR` say. */
const ERRORS: readonly (Reason & { readonly text: RegExp })[] = [
  {
    text: /AUTH.*without any password configured/,
    reason: "the server has no password, and lock.redis gives one",
    hint: "remove the password from lock.redis, or give the server one",
    passing: false,
  },
  { text: /ACL failure in script|user executing the script can't/, ...NOT_ALLOWED },
  { text: /max number of clients/, reason: "the server has as many clients as it takes", passing: true },
  {
    text: /DB index is out of range|SELECT is not allowed/,
    reason: "the server has no database of that number",
    hint: "check the number behind the host in lock.redis",
    passing: false,
  },
];

/** What an error answer means, given its first word and its line; null: nothing in particular. */
export function reasonOfAnswer(word: string, line: string): Reason | null {
  return ANSWERS[word] ?? ERRORS.find(({ text }) => text.test(line)) ?? null;
}

/** What went wrong with TLS; null: something else did. */
export function tlsReason(error: unknown): Reason | null {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return {
      reason: "the certificate is for another host",
      hint: "check the host in lock.redis",
      passing: false,
    };
  }
  if (code === "CERT_HAS_EXPIRED") return { reason: "the certificate has expired", passing: false };
  if (/SELF_SIGNED_CERT|UNABLE_TO_(?:VERIFY|GET_ISSUER)/.test(code)) {
    return {
      reason: "the certificate is not signed by an authority that is trusted here",
      hint: "name the file of the authority's certificate: export NODE_EXTRA_CA_CERTS=/path/to/ca.pem",
      passing: false,
    };
  }
  if (code === "EPROTO" || code.startsWith("ERR_SSL_")) {
    return {
      reason: "TLS failed",
      hint: "does the server speak TLS? Without it, write redis://",
      passing: false,
    };
  }
  return null;
}
