import type { Cases } from "./case.ts";

/** Several hosts, kinds of servers, authentication and TLS. */
export const serverCases: Cases = ({
  main,
  plain,
  standby,
  password,
  silentPort,
  authority,
  otherAuthority,
  client,
  revoked,
  nothingRevoked,
}) => {
  const { port } = main;
  const ca = authority.certificate;
  const alice = `host=127.0.0.1 port=${port} user=alice password=secret`;
  const named = `host=localhost port=${port} user=alice password=secret`;
  const postgres = `user=postgres password=${password}`;
  const hosts = (ports: (number | string)[]): string =>
    `host=${ports.map(() => "127.0.0.1").join(",")} port=${ports.join(",")} ${postgres}`;
  const certificate = `sslcert=${client.certificate} sslkey=${client.key}`;
  return [
    { name: "the first of two hosts", conninfo: hosts([port, plain.port]), expect: `|${port}|` },
    {
      name: "the second host when the first refuses",
      conninfo: hosts([1, plain.port]),
      expect: `|${plain.port}|`,
    },
    {
      name: "the second host in a URI",
      conninfo: `postgres://postgres:${password}@127.0.0.1:1,127.0.0.1:${port}/postgres`,
      expect: `|${port}|`,
    },
    {
      name: "one port for all hosts",
      conninfo: `host=nowhere.invalid,127.0.0.1 port=${port} ${postgres}`,
      expect: `|${port}|`,
    },
    {
      name: "an empty host in a list is the default",
      conninfo: `host=,127.0.0.1 port=1,${port} ${postgres}`,
      expect: `|${port}|`,
    },
    {
      name: "an empty port in a list is 5432",
      conninfo: `host=127.0.0.1,127.0.0.1 port=${port}, ${postgres}`,
      expect: `|${port}|`,
    },
    {
      name: "a socket folder after a host",
      conninfo: `host=127.0.0.1,${main.socketDirectory} port=1,${port} ${postgres}`,
      expect: "socket",
    },
    {
      name: "a list in PGHOST and PGPORT",
      conninfo: postgres,
      env: { PGHOST: "127.0.0.1,127.0.0.1", PGPORT: `1,${port}` },
      expect: `|${port}|`,
    },
    {
      name: "a list of addresses without hosts",
      conninfo: `hostaddr=127.0.0.1,127.0.0.1 port=1,${port} ${postgres}`,
      expect: `|${port}|`,
    },
    {
      name: "hosts with addresses for some",
      conninfo: `host=nowhere.invalid,127.0.0.1 hostaddr=127.0.0.1, port=${port} ${postgres}`,
      expect: `|${port}|`,
    },
    {
      name: "more ports than hosts",
      conninfo: `host=127.0.0.1 port=1,2 ${postgres}`,
      fails: /2 ports/,
      psqlFails: /2 port numbers/,
    },
    {
      name: "fewer ports than hosts",
      conninfo: `host=a,b,c port=1,2 ${postgres}`,
      fails: /2 ports/,
      psqlFails: /2 port numbers/,
    },
    {
      name: "more hosts than addresses",
      conninfo: `host=a,b hostaddr=127.0.0.1 port=1 ${postgres}`,
      fails: /2 hosts/,
      psqlFails: /2 host names/,
    },
    {
      name: "a failed authentication ends the search",
      conninfo: `host=127.0.0.1,127.0.0.1 port=${port},${plain.port} user=postgres password=wrong`,
      fails: /password authentication failed/,
    },
    {
      name: "a database that is missing ends the search",
      conninfo: `${hosts([port, plain.port])} dbname=nowhere`,
      fails: /database "nowhere" does not exist/,
    },
    {
      name: "a host that does not answer",
      conninfo: `${hosts([silentPort, port])} connect_timeout=2`,
      expect: `|${port}|`,
    },
    {
      name: "a list of passwords by host",
      conninfo: `host=127.0.0.1,127.0.0.1 port=1,${port} user=alice`,
      files: { ".pgpass": { text: `127.0.0.1:1:*:*:wrong\n127.0.0.1:${port}:*:*:secret\n` } },
      expect: "alice",
    },

    {
      name: "read-write",
      conninfo: `${hosts([standby.port, plain.port, port])} target_session_attrs=read-write`,
      expect: `|${port}|`,
    },
    {
      name: "read-only",
      conninfo: `${hosts([port, plain.port])} target_session_attrs=read-only`,
      expect: `|${plain.port}|`,
    },
    {
      name: "read-only on a standby",
      conninfo: `${hosts([port, standby.port])} target_session_attrs=read-only`,
      expect: `|${standby.port}|`,
    },
    {
      name: "primary",
      conninfo: `${hosts([standby.port, plain.port])} target_session_attrs=primary`,
      expect: `|${plain.port}|`,
    },
    {
      name: "standby",
      conninfo: `${hosts([port, plain.port, standby.port])} target_session_attrs=standby`,
      expect: `|${standby.port}|`,
    },
    {
      name: "prefer-standby with one",
      conninfo: `${hosts([port, standby.port])} target_session_attrs=prefer-standby`,
      expect: `|${standby.port}|`,
    },
    {
      name: "prefer-standby without one",
      conninfo: `${hosts([1, port, plain.port])} target_session_attrs=prefer-standby`,
      expect: `|${port}|`,
    },
    {
      name: "read-write where all are read-only",
      conninfo: `${hosts([standby.port, plain.port])} target_session_attrs=read-write`,
      fails: /read-only.*read-only/s,
      psqlFails: /session is read-only/,
    },
    {
      name: "primary where there is none",
      conninfo: `${hosts([standby.port])} target_session_attrs=primary`,
      fails: /standby/,
      psqlFails: /hot standby/,
    },
    {
      name: "load_balance_hosts=random",
      conninfo: `${hosts([1, port])} load_balance_hosts=random`,
      libpq: 16,
      expect: `|${port}|`,
    },

    { name: "sslmode=disable", conninfo: `${alice} sslmode=disable`, expect: "|plain|" },
    { name: "sslmode=allow", conninfo: `${alice} sslmode=allow`, expect: "|plain|" },
    { name: "sslmode=prefer", conninfo: `${alice} sslmode=prefer`, expect: "TLSv1" },
    { name: "sslmode=require", conninfo: `${alice} sslmode=require`, expect: "TLSv1" },
    {
      name: "sslmode=allow with a server that demands TLS",
      conninfo: `${alice} user=ssl_only sslmode=allow dbname=shop`,
      expect: "TLSv1",
    },
    {
      name: "sslmode=prefer with a server that refuses TLS to the user",
      conninfo: `${alice} user=plain_only sslmode=prefer dbname=shop`,
      expect: "|plain|",
    },
    {
      name: "sslmode=require with a server that refuses TLS to the user",
      conninfo: `${alice} user=plain_only sslmode=require dbname=shop`,
      fails: /pg_hba.conf rejects/,
    },
    {
      name: "sslmode=disable with a server that demands TLS",
      conninfo: `${alice} user=ssl_only sslmode=disable dbname=shop`,
      fails: /pg_hba.conf rejects/,
    },
    {
      name: "sslmode=prefer on a server without TLS",
      conninfo: `host=127.0.0.1 port=${plain.port} ${postgres} sslmode=prefer`,
      expect: "|plain|",
    },
    {
      name: "sslmode=allow on a server without TLS",
      conninfo: `host=127.0.0.1 port=${plain.port} ${postgres} sslmode=allow`,
      expect: "|plain|",
    },
    {
      name: "sslmode=require on a server without TLS",
      conninfo: `host=127.0.0.1 port=${plain.port} ${postgres} sslmode=require`,
      fails: /does not support TLS/,
      psqlFails: /does not support SSL/,
    },
    {
      name: "sslmode=verify-full over a socket",
      conninfo: `host=${main.socketDirectory} port=${port} user=alice password=secret sslmode=verify-full`,
      expect: "|plain|",
    },
    {
      name: "sslmode=verify-ca without a root certificate",
      conninfo: `${alice} sslmode=verify-ca`,
      fails: /root certificate file .* does not exist/,
    },
    { name: "sslmode=verify-ca", conninfo: `${alice} sslmode=verify-ca sslrootcert=${ca}`, expect: "TLSv1" },
    {
      name: "sslmode=verify-ca with another authority",
      conninfo: `${alice} sslmode=verify-ca sslrootcert=${otherAuthority.certificate}`,
      fails: /not trusted/,
      psqlFails: /certificate verify failed/,
    },
    {
      name: "sslmode=require with another authority",
      conninfo: `${alice} sslmode=require sslrootcert=${otherAuthority.certificate}`,
      fails: /not trusted/,
      psqlFails: /certificate verify failed/,
    },
    {
      name: "sslmode=prefer with another authority",
      conninfo: `${alice} sslmode=prefer sslrootcert=${otherAuthority.certificate}`,
      expect: "|plain|",
    },
    {
      name: "sslmode=require with a root certificate that is missing",
      conninfo: `${alice} sslmode=require sslrootcert=/nowhere.crt`,
      expect: "TLSv1",
    },
    {
      name: "sslmode=verify-full",
      conninfo: `${named} sslmode=verify-full sslrootcert=${ca}`,
      expect: "TLSv1",
    },
    {
      name: "sslmode=verify-full with an address too",
      conninfo: `${named} hostaddr=127.0.0.1 sslmode=verify-full sslrootcert=${ca}`,
      expect: "TLSv1",
    },
    {
      name: "sslmode=verify-full by wildcard",
      conninfo: `${named} host=db.WILD.example hostaddr=127.0.0.1 sslmode=verify-full sslrootcert=${ca}`,
      expect: "TLSv1",
    },
    {
      name: "sslmode=verify-full, two labels for a wildcard",
      conninfo: `${named} host=a.b.wild.example hostaddr=127.0.0.1 sslmode=verify-full sslrootcert=${ca}`,
      fails: /certificate is for/,
      psqlFails: /does not match host name/,
    },
    {
      name: "sslmode=verify-full with another name",
      conninfo: `${alice} sslmode=verify-full sslrootcert=${ca}`,
      fails: /certificate is for/,
      psqlFails: /does not match host name/,
    },
    {
      name: "sslmode=verify-full by common name despite alternative names",
      conninfo: `${named} host=unused.example hostaddr=127.0.0.1 sslmode=verify-full sslrootcert=${ca}`,
      fails: /certificate is for/,
      psqlFails: /does not match host name/,
    },
    {
      name: "sslmode=verify-full without a host",
      conninfo: `hostaddr=127.0.0.1 port=${port} user=alice password=secret sslmode=verify-full sslrootcert=${ca}`,
      fails: /host name/,
    },
    {
      name: "PGSSLMODE and PGSSLROOTCERT",
      conninfo: named,
      env: { PGSSLMODE: "verify-full", PGSSLROOTCERT: ca },
      expect: "TLSv1",
    },
    {
      name: "~/.postgresql/root.crt that does not fit",
      conninfo: `${alice} sslmode=require`,
      files: { ".postgresql/root.crt": { text: otherAuthority.pem } },
      fails: /not trusted/,
      psqlFails: /certificate verify failed/,
    },
    {
      name: "~/.postgresql/root.crt",
      conninfo: `${alice} sslmode=verify-ca`,
      files: { ".postgresql/root.crt": { text: authority.pem } },
      expect: "TLSv1",
    },
    {
      name: "sslcrl without the server's certificate",
      conninfo: `${alice} sslmode=verify-ca sslrootcert=${ca} sslcrl=${nothingRevoked}`,
      expect: "TLSv1",
    },
    {
      name: "sslcrl with the server's certificate",
      conninfo: `${alice} sslmode=verify-ca sslrootcert=${ca} sslcrl=${revoked}`,
      fails: /revoked/,
      psqlFails: /certificate verify failed|revoked/,
    },
    {
      name: "sslrootcert=system does not know the authority",
      conninfo: `${named} sslrootcert=system`,
      libpq: 16,
      fails: /not trusted/,
      psqlFails: /certificate verify failed|SSL error/,
    },
    {
      name: "sslrootcert=system with a weak mode",
      conninfo: `${named} sslrootcert=system sslmode=require`,
      libpq: 16,
      fails: /sslrootcert=system/,
    },
    {
      name: "ssl_max_protocol_version",
      conninfo: `${alice} sslmode=require ssl_max_protocol_version=tlsv1.2`,
      expect: "TLSv1.2",
    },
    {
      name: "a range of versions upside down",
      conninfo: `${alice} ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2`,
      fails: /above/,
      psqlFails: /range/,
    },
    {
      name: "sslnegotiation=direct",
      conninfo: `${alice} sslmode=require sslnegotiation=direct`,
      libpq: 17,
      server: 17,
      expect: "TLSv1",
    },
    {
      name: "sslnegotiation=direct with prefer",
      conninfo: `${alice} sslnegotiation=direct`,
      libpq: 17,
      fails: /sslnegotiation=direct/,
    },
    {
      name: "sslsni=0",
      conninfo: `${named} sslmode=verify-full sslrootcert=${ca} sslsni=0`,
      expect: "TLSv1",
    },

    {
      name: "a client certificate",
      conninfo: `host=127.0.0.1 port=${port} user=cert_only dbname=shop sslmode=require ${certificate}`,
      expect: "/CN=cert_only",
    },
    {
      name: "a client certificate in ~/.postgresql",
      conninfo: `host=127.0.0.1 port=${port} user=cert_only dbname=shop`,
      files: {
        ".postgresql/postgresql.crt": { text: client.certificatePem },
        ".postgresql/postgresql.key": { text: client.keyPem },
      },
      expect: "/CN=cert_only",
    },
    {
      name: "a client certificate for another user",
      conninfo: `host=127.0.0.1 port=${port} user=alice password=secret dbname=shop sslmode=require ${certificate}`,
      expect: "/CN=cert_only",
    },
    {
      name: "a client key that others may read",
      conninfo: `host=127.0.0.1 port=${port} user=cert_only dbname=shop sslmode=require`,
      files: {
        ".postgresql/postgresql.crt": { text: client.certificatePem },
        ".postgresql/postgresql.key": { text: client.keyPem, mode: 0o644 },
      },
      fails: /others may read/,
      psqlFails: /group or world access/,
    },
    {
      name: "a client certificate without its key",
      conninfo: `host=127.0.0.1 port=${port} user=cert_only dbname=shop sslmode=require sslcert=${client.certificate} sslkey=/nowhere`,
      fails: /private key/,
    },
    {
      name: "an encrypted client key",
      conninfo: `host=127.0.0.1 port=${port} user=cert_only dbname=shop sslmode=require sslcert=${client.certificate} sslkey=${client.encryptedKey} sslpassword=opensesame`,
      expect: "/CN=cert_only",
    },
    {
      name: "an encrypted client key with the wrong password",
      conninfo: `host=127.0.0.1 port=${port} user=cert_only dbname=shop sslmode=require sslcert=${client.certificate} sslkey=${client.encryptedKey} sslpassword=wrong`,
      fails: /TLS failed/,
      psqlFails: /could not load private key/,
    },
    {
      name: "no client certificate where one is demanded",
      conninfo: `host=127.0.0.1 port=${port} user=cert_only dbname=shop sslmode=require`,
      fails: /valid client certificate/,
    },
    {
      name: "sslcertmode=disable",
      conninfo: `host=127.0.0.1 port=${port} user=cert_only dbname=shop sslmode=require sslcertmode=disable ${certificate}`,
      libpq: 16,
      fails: /valid client certificate/,
    },

    { name: "trust", conninfo: `host=127.0.0.1 port=${port} user=trusted dbname=shop`, expect: "trusted" },
    {
      name: "md5",
      conninfo: `host=127.0.0.1 port=${port} user=md5_user password=secret dbname=shop`,
      expect: "md5_user",
    },
    {
      name: "a password in the clear",
      conninfo: `host=127.0.0.1 port=${port} user=clear_user password=secret dbname=shop`,
      expect: "clear_user",
    },
    { name: "channel_binding=require", conninfo: `${alice} channel_binding=require`, expect: "TLSv1" },
    { name: "channel_binding=disable", conninfo: `${alice} channel_binding=disable`, expect: "TLSv1" },
    {
      name: "channel_binding=require without TLS",
      conninfo: `${alice} channel_binding=require sslmode=disable`,
      fails: /channel binding/,
    },
    {
      name: "channel_binding=require with md5",
      conninfo: `${alice} user=md5_user channel_binding=require dbname=shop`,
      fails: /channel binding/,
    },
    {
      name: "channel_binding=require with a password in the clear",
      conninfo: `${alice} user=clear_user channel_binding=require dbname=shop`,
      fails: /channel binding/,
    },
    {
      name: "channel_binding=require with trust",
      conninfo: `${alice} user=trusted channel_binding=require dbname=shop`,
      fails: /channel binding/,
    },
    {
      name: "require_auth=scram-sha-256",
      conninfo: `${alice} require_auth=scram-sha-256`,
      libpq: 16,
      expect: "alice",
    },
    {
      name: "require_auth with another method",
      conninfo: `${alice} require_auth=md5,password`,
      libpq: 16,
      fails: /require_auth|requirement/,
    },
    {
      name: "require_auth with the method negated",
      conninfo: `${alice} require_auth=!scram-sha-256`,
      libpq: 16,
      fails: /require_auth|requirement/,
    },
    {
      name: "require_auth with another method negated",
      conninfo: `${alice} require_auth=!md5,!password`,
      libpq: 16,
      expect: "alice",
    },
    {
      name: "require_auth=scram-sha-256 with trust",
      conninfo: `${alice} user=trusted require_auth=scram-sha-256 dbname=shop`,
      libpq: 16,
      fails: /require_auth|requirement/,
    },
    {
      name: "require_auth=none with trust",
      conninfo: `${alice} user=trusted require_auth=none dbname=shop`,
      libpq: 16,
      expect: "trusted",
    },
    {
      name: "require_auth=!none with trust",
      conninfo: `${alice} user=trusted require_auth=!none dbname=shop`,
      libpq: 16,
      fails: /require_auth|requirement/,
    },
    {
      name: "require_auth with a mix",
      conninfo: `${alice} require_auth=md5,!none`,
      libpq: 16,
      fails: /require_auth/,
    },
    {
      name: "a wrong password",
      conninfo: `${alice} password=wrong`,
      fails: /password authentication failed/,
    },
    {
      name: "a role that does not exist",
      conninfo: `${alice} user=nobody`,
      fails: /password authentication failed/,
    },
    { name: "nobody listens", conninfo: `${alice} port=1`, fails: /refused/ },
    {
      name: "a name that does not exist",
      conninfo: `${alice} host=nowhere.invalid`,
      fails: /does not exist/,
      psqlFails: /translate host name/,
    },
  ];
};
