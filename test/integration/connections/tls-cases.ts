import type { Cases } from "./case.ts";

/** How a connection is encrypted and the server verified. */
export const tlsCases: Cases = ({
  main,
  plain,
  password,
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
  const certificate = `sslcert=${client.certificate} sslkey=${client.key}`;
  return [
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
  ];
};
