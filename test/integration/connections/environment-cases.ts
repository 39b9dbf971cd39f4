import type { CaseFile, Cases } from "./case.ts";
import { AWKWARD_PASSWORD } from "./world.ts";

const service = (text: string): Record<string, CaseFile> => ({ ".pg_service.conf": { text } });
const pgpass = (text: string, mode = 0o600): Record<string, CaseFile> => ({ ".pgpass": { text, mode } });

/** Variables, service files and password files, and which of them wins. */
export const environmentCases: Cases = ({ main, plain, osUser, directory }) => {
  const { port } = main;
  const here = { PGHOST: "127.0.0.1", PGPORT: String(port) };
  const alice = { ...here, PGUSER: "alice", PGPASSWORD: "secret" };
  const escaped = AWKWARD_PASSWORD.replaceAll(/[\\:]/g, String.raw`\$&`);
  const shop = `[other]\nhost=wrong\n\n# a comment\n[shop]\n  host=127.0.0.1  \nport=${port}\nuser=alice\npassword=secret\ndbname=shop\nport=1\n[last]\nhost=wrong\n`;
  return [
    { name: "PG* alone", env: { ...alice, PGDATABASE: "shop" }, expect: "alice|shop" },
    {
      name: "PGHOST and PGPORT, the user of the system",
      env: { ...here, PGPASSWORD: "os" },
      expect: `${osUser}|${osUser}`,
    },
    {
      name: "PGHOSTADDR with a host that does not resolve",
      env: { ...alice, PGHOST: "nowhere.invalid", PGHOSTADDR: "127.0.0.1" },
      expect: "alice|alice",
    },
    {
      name: "the string beats PG*",
      conninfo: "dbname=shop user=alice password=secret",
      env: { ...here, PGUSER: "bob", PGPASSWORD: "wrong", PGDATABASE: "wrong" },
      expect: "alice|shop",
    },
    {
      name: "the URI beats PG*, and leaves the rest to it",
      conninfo: `postgres://alice@127.0.0.1/shop`,
      env: { ...alice, PGUSER: "bob" },
      expect: "alice|shop",
    },
    {
      name: "empty PGDATABASE and PGPORT are defaults",
      env: { ...alice, PGDATABASE: "", PGHOST: `127.0.0.1`, PGOPTIONS: "" },
      expect: "alice|alice",
    },
    { name: "empty PGSSLMODE", env: { ...alice, PGSSLMODE: "" }, fails: /PGSSLMODE/, psqlFails: /sslmode/ },
    {
      name: "empty PGCONNECT_TIMEOUT",
      env: { ...alice, PGCONNECT_TIMEOUT: "" },
      fails: /PGCONNECT_TIMEOUT/,
      psqlFails: /connect_timeout/,
    },
    { name: "PGAPPNAME", env: { ...alice, PGAPPNAME: "named" }, expect: "|named|" },
    { name: "PGOPTIONS", env: { ...alice, PGOPTIONS: "-c search_path=elsewhere" }, expect: "|elsewhere|" },
    {
      name: "options beats PGOPTIONS",
      conninfo: "options='-c geqo=off'",
      env: { ...alice, PGOPTIONS: "-c search_path=elsewhere" },
      expect: '"$user", public',
    },
    {
      name: "PGTZ, PGDATESTYLE, PGGEQO",
      env: { ...alice, PGTZ: "Asia/Tokyo", PGDATESTYLE: "German", PGGEQO: "off" },
      expect: "|Asia/Tokyo|German, DMY|off|",
    },
    { name: "PGTZ=default", env: { ...alice, PGTZ: "default" }, expect: "alice" },
    { name: "PGCLIENTENCODING=UTF8", env: { ...alice, PGCLIENTENCODING: "utf-8" }, expect: "alice" },
    { name: "PGSSLMODE=disable", env: { ...alice, PGSSLMODE: "disable" }, expect: "|plain|" },
    { name: "PGREQUIRESSL", env: { ...alice, PGREQUIRESSL: "1" }, expect: "TLSv1" },
    {
      name: "PGREQUIRESSL on a server without TLS",
      env: { ...alice, PGPORT: String(plain.port), PGREQUIRESSL: "1" },
      fails: /does not support TLS/,
      psqlFails: /does not support SSL/,
    },
    {
      name: "PGTARGETSESSIONATTRS",
      env: { ...alice, PGTARGETSESSIONATTRS: "standby" },
      fails: /not a standby/,
      psqlFails: /not in hot standby/,
    },

    { name: "service=", conninfo: "service=shop", files: service(shop), expect: "alice|shop" },
    { name: "PGSERVICE", env: { PGSERVICE: "shop" }, files: service(shop), expect: "alice|shop" },
    {
      name: "service in a URI",
      conninfo: "postgres:///?service=shop",
      files: service(shop),
      expect: "alice|shop",
    },
    {
      name: "the string beats the service",
      conninfo: "service=shop dbname=alice",
      files: service(shop),
      expect: "alice|alice",
    },
    {
      name: "the service beats PG*",
      conninfo: "service=shop",
      env: { PGPORT: "1", PGUSER: "bob", PGDATABASE: "wrong" },
      files: service(shop),
      expect: "alice|shop",
    },
    {
      name: "PGSERVICEFILE",
      conninfo: "service=shop",
      env: { PGSERVICEFILE: `${directory}/services` },
      files: { "../services": { text: shop } },
      expect: "alice|shop",
    },
    {
      name: "PGSERVICEFILE that is missing",
      conninfo: "service=shop",
      env: { PGSERVICEFILE: `${directory}/none` },
      files: service(shop),
      fails: /service file/,
    },
    {
      name: "PGSYSCONFDIR",
      conninfo: "service=system",
      env: { PGSYSCONFDIR: directory },
      files: { ...service(shop), "../pg_service.conf": { text: shop.replace("[shop]", "[system]") } },
      expect: "alice|shop",
    },
    {
      name: "a service nobody defines",
      conninfo: "service=nobody",
      files: service(shop),
      fails: /service "nobody"/,
    },
    {
      name: "a service with an unknown key",
      conninfo: "service=bad",
      files: service("[bad]\nhots=127.0.0.1\n"),
      fails: /hots|syntax/,
      psqlFails: /syntax error/,
    },
    {
      name: "a service with spaces around =",
      conninfo: "service=bad",
      files: service("[bad]\nhost = 127.0.0.1\n"),
      fails: /space before/,
      psqlFails: /syntax error/,
    },
    {
      name: "a service within a service",
      conninfo: "service=bad",
      files: service("[bad]\nservice=shop\n"),
      fails: /another service/,
      psqlFails: /nested/,
    },

    {
      name: "~/.pgpass",
      conninfo: "user=alice",
      env: here,
      files: pgpass(`127.0.0.1:${port}:alice:alice:secret\n`),
      expect: "alice",
    },
    {
      name: "~/.pgpass with wildcards and CRLF",
      conninfo: "user=alice dbname=shop",
      env: here,
      files: pgpass(`#x\r\n*:1:*:*:wrong\r\n*:*:shop:*:secret\r\n`),
      expect: "alice|shop",
    },
    {
      name: "~/.pgpass, the first line that fits",
      conninfo: "user=alice",
      env: here,
      files: pgpass(`*:*:*:*:wrong\n*:*:*:alice:secret\n`),
      fails: /password authentication failed/,
    },
    {
      name: "~/.pgpass with escapes",
      conninfo: "user=awkward dbname='odd name/ü'",
      env: here,
      files: pgpass(`127.0.0.1:${port}:odd name/ü:awkward:${escaped}\n`),
      expect: "awkward",
    },
    {
      name: "~/.pgpass that others may read",
      conninfo: "user=alice",
      env: here,
      files: pgpass(`*:*:*:*:secret\n`, 0o640),
      fails: /password/,
    },
    {
      name: "~/.pgpass for another server",
      conninfo: "user=alice",
      env: here,
      files: pgpass(`localhost:${port}:*:*:secret\n`),
      fails: /password/,
    },
    {
      name: "~/.pgpass goes by host, not hostaddr",
      conninfo: "user=alice host=localhost hostaddr=127.0.0.1",
      env: { PGPORT: String(port) },
      files: pgpass(`localhost:${port}:*:*:secret\n`),
      expect: "alice",
    },
    {
      name: "~/.pgpass goes by hostaddr without a host",
      conninfo: "user=alice hostaddr=127.0.0.1",
      env: { PGPORT: String(port) },
      files: pgpass(`127.0.0.1:${port}:*:*:secret\n`),
      expect: "alice",
    },
    {
      name: "~/.pgpass for a socket folder",
      conninfo: `user=alice host=${main.socketDirectory}`,
      env: { PGPORT: String(port) },
      files: pgpass(`${main.socketDirectory}:${port}:*:*:secret\n`),
      expect: "socket",
    },
    {
      name: "PGPASSWORD beats ~/.pgpass",
      env: { ...alice },
      files: pgpass(`*:*:*:*:wrong\n`),
      expect: "alice",
    },
    {
      name: "an empty PGPASSWORD leaves it to ~/.pgpass",
      env: { ...alice, PGPASSWORD: "" },
      files: pgpass(`*:*:*:*:secret\n`),
      expect: "alice",
    },
    {
      name: "passfile=",
      conninfo: `user=alice passfile=${directory}/passwords`,
      env: here,
      files: { ...pgpass(`*:*:*:*:wrong\n`), "../passwords": { text: "*:*:*:*:secret\n" } },
      expect: "alice",
    },
    {
      name: "PGPASSFILE",
      conninfo: "user=alice",
      env: { ...here, PGPASSFILE: `${directory}/passwords` },
      files: { "../passwords": { text: "*:*:*:*:secret\n" } },
      expect: "alice",
    },
    {
      name: "no password at all",
      conninfo: "user=alice",
      env: here,
      fails: /asks for a password/,
      psqlFails: /no password supplied/,
    },
  ];
};
