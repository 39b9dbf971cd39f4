/**
 * One server to try, in order. A host beginning with `/` is the folder of a Unix socket (`@`: an abstract one).
 */
export interface HostSettings {
  /** Empty when only `hostaddr` was given. */
  readonly host: string;
  /** Connect here while `host` names the server for TLS and the password file; null: same as host. */
  readonly hostaddr: string | null;
  readonly port: number;
}

/** How a server may make a client prove who it is; `none` is no challenge at all (trust, peer, cert). */
export type AuthenticationMethod = "none" | "password" | "md5" | "gss" | "sspi" | "scram-sha-256" | "oauth";

export type TlsVersion = "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";

export type SslMode = "disable" | "allow" | "prefer" | "require" | "verify-ca" | "verify-full";
export type TargetSessionAttrs =
  | "any"
  | "read-write"
  | "read-only"
  | "primary"
  | "standby"
  | "prefer-standby";

/**
 * Everything needed to connect, after libpq's rules were applied to a connection string, the environment,
 * the service file and the password file (PostgreSQL manual 32.1, 32.2, 32.15–32.17).
 */
export interface ConnectionSettings {
  readonly hosts: readonly HostSettings[];
  readonly user: string;
  readonly database: string;
  /** One per host, since the password file may differ by host; null: none known. Never printed. */
  readonly passwords: readonly (string | null)[];
  readonly sslmode: SslMode;
  readonly sslnegotiation: "postgres" | "direct";
  readonly sslrootcert: string | null;
  readonly sslcert: string | null;
  readonly sslkey: string | null;
  readonly sslpassword: string | null;
  readonly sslsni: boolean;
  readonly channelBinding: "disable" | "prefer" | "require";
  readonly targetSessionAttrs: TargetSessionAttrs;
  readonly loadBalanceHosts: boolean;
  /** Seconds a single host may take; 0: no limit. */
  readonly connectTimeoutSeconds: number;
  /** What the user asked to be called; Godwit puts run and token behind it. */
  readonly applicationName: string | null;
  /** Start-up options (`-c name=value`), passed as they are. */
  readonly options: string | null;
  readonly keepalives: boolean;
  /** 0: half a minute. */
  readonly keepalivesIdleSeconds: number;

  /** Where each of `passwords` came from, in words for a message; null: none known. */
  readonly passwordSources?: readonly (string | null)[];
  /** File of certificates that were revoked; one that does not exist is ignored, as libpq does. */
  readonly sslcrl?: string | null;
  /** Absent: TLS 1.2. */
  readonly sslMinProtocolVersion?: TlsVersion;
  readonly sslMaxProtocolVersion?: TlsVersion;
  /** The only methods the server may ask for (`require_auth`); null or absent: any. */
  readonly allowedAuthentication?: readonly AuthenticationMethod[] | null;
  /** Further start-up parameters, from PGDATESTYLE, PGTZ and PGGEQO. */
  readonly startupParameters?: Readonly<Record<string, string>>;
  /** What the user should be told, such as a password file that was ignored for its permissions. */
  readonly warnings?: readonly string[];
}
