import type { Cases } from "./case.ts";
import { AWKWARD_PASSWORD } from "./world.ts";

/** The two forms of connection strings, and what stands in for parts that are missing. */
export const stringCases: Cases = ({ main, osUser }) => {
  const { port, socketDirectory } = main;
  const keyValue = AWKWARD_PASSWORD.replaceAll(/['\\]/g, String.raw`\$&`);
  const encoded = encodeURIComponent(AWKWARD_PASSWORD);
  const at = `127.0.0.1:${port}`;
  return [
    { name: "URI", conninfo: `postgresql://alice:secret@${at}/shop`, expect: "alice|shop" },
    {
      name: "URI with the short scheme",
      conninfo: `postgres://alice:secret@${at}/shop`,
      expect: "alice|shop",
    },
    { name: "URI without a database", conninfo: `postgres://alice:secret@${at}`, expect: "alice|alice" },
    { name: "URI with / and no database", conninfo: `postgres://alice:secret@${at}/`, expect: "alice|alice" },
    {
      name: "URI with an encoded password",
      conninfo: `postgres://awkward:${encoded}@${at}/shop`,
      expect: "awkward|shop",
    },
    {
      name: "URI with an encoded database",
      conninfo: `postgres://alice:secret@${at}/odd%20name%2F%C3%BC`,
      expect: "odd name/ü",
    },
    {
      name: "URI with lower-case digits",
      conninfo: `postgres://alice:%73ecret@${at}/odd%20name%2f%c3%bc`,
      expect: "odd name/ü",
    },
    {
      name: "URI parameters override its parts",
      conninfo: `postgres://wrong:wrong@nowhere.invalid:1/wrong?user=alice&password=secret&host=127.0.0.1&port=${port}&dbname=shop`,
      expect: "alice|shop",
    },
    {
      name: "URI with a socket folder as parameter",
      conninfo: `postgres://alice:secret@/shop?host=${socketDirectory}&port=${port}`,
      expect: "shop|socket",
    },
    {
      name: "URI with an encoded socket folder as host",
      conninfo: `postgres://alice:secret@${encodeURIComponent(socketDirectory ?? "")}:${port}/shop`,
      expect: "shop|socket",
    },
    {
      name: "URI without a host",
      conninfo: `postgres://alice:secret@/shop?port=${port}`,
      env: { PGHOST: "127.0.0.1" },
      expect: "alice|shop",
    },
    {
      name: "URI without anything",
      conninfo: "postgres://",
      env: { PGHOST: "127.0.0.1", PGPORT: String(port), PGPASSWORD: "os" },
      expect: `${osUser}|${osUser}`,
    },
    { name: "URI with ssl=true", conninfo: `postgres://alice:secret@${at}/shop?ssl=true`, expect: "TLSv1" },
    {
      name: "URI with an IPv6 host nobody listens on",
      conninfo: `postgres://alice:secret@[::1]:${port}/shop`,
      fails: /\[::1\]:\d+ as alice: (connection refused|.*reached|.*EADDRNOTAVAIL)/,
      psqlFails: /refused|assign|unreachable/,
    },
    {
      name: "URI with an @ in the query",
      conninfo: `postgres://${at}/shop?user=alice@x`,
      fails: /as alice@x: .*password/,
      psqlFails: /password/,
    },
    { name: "URI with an unclosed bracket", conninfo: `postgres://[::1/shop`, fails: /IPv6/ },
    {
      name: "URI with more after the bracket",
      conninfo: `postgres://[::1]x/shop`,
      fails: /after \]/,
      psqlFails: /unexpected character/,
    },
    { name: "URI with an empty bracket", conninfo: `postgres://[]/shop`, fails: /IPv6/ },
    { name: "URI with half a percent sign", conninfo: `postgres://alice:secret@${at}/shop%2`, fails: /%/ },
    { name: "URI with %00", conninfo: `postgres://alice:secret@${at}/sh%00op`, fails: /%00/ },
    {
      name: "URI with a parameter without =",
      conninfo: `postgres://alice:secret@${at}/shop?sslmode`,
      fails: /"="/,
    },
    {
      name: "URI with two = in a parameter",
      conninfo: `postgres://alice:secret@${at}/shop?options=-cgeqo=off`,
      fails: /"="/,
    },
    {
      name: "URI with a trailing &",
      conninfo: `postgres://alice:secret@${at}/shop?application_name=x&`,
      expect: "|x|",
    },
    {
      name: "URI with an unknown parameter",
      conninfo: `postgres://alice:secret@${at}/shop?sslmod=require`,
      fails: /did you mean sslmode|sslmod/,
      psqlFails: /sslmod/,
    },
    {
      name: "URI with spaces around parts",
      conninfo: `postgres:// alice:secret @ ${at} / shop ? application_name = x `,
      libpq: 18,
      expect: "|x|",
    },
    {
      name: "URI with a line break at its end",
      conninfo: `postgres://alice:secret@${at}/shop\n`,
      fails: /database "shop\n" does not exist/,
    },
    {
      name: "URI with a space within a part",
      conninfo: `postgres://alice:secret@${at}/sh op`,
      libpq: 18,
      fails: /a space within/,
      psqlFails: /spaces/,
    },
    {
      name: "URI with options",
      conninfo: `postgres://alice:secret@${at}/shop?options=-c%20search_path%3Dfoo%20-c%20geqo%3Doff`,
      expect: "|foo|",
    },

    {
      name: "key=value",
      conninfo: `host=127.0.0.1 port=${port} user=alice password=secret dbname=shop`,
      expect: "alice|shop",
    },
    {
      name: "key = value with spaces",
      conninfo: `  host = 127.0.0.1\n\tport =${port} user= alice password=secret dbname=shop `,
      expect: "alice|shop",
    },
    {
      name: "key='value' with escapes",
      conninfo: `host='127.0.0.1' port=${port} user=awkward password='${keyValue}' dbname='odd name/ü'`,
      expect: "awkward|odd name/ü",
    },
    {
      name: "backslashes without quotes",
      conninfo: String.raw`host=127.0.0.1 port=${port} user=alice password=s\ec\ret dbname=odd\ name/ü`,
      expect: "odd name/ü",
    },
    {
      name: "a later key wins",
      conninfo: `host=127.0.0.1 port=1 port=${port} user=bob user=alice password=secret dbname=shop`,
      expect: "alice|shop",
    },
    {
      name: "empty values are defaults",
      conninfo: `host='' hostaddr=127.0.0.1 port=${port} user=alice password=secret dbname=''`,
      expect: "alice|alice",
    },
    {
      name: "application_name",
      conninfo: `host=127.0.0.1 port=${port} user=alice password=secret application_name='two words'`,
      expect: "|two words|",
    },
    {
      name: "fallback_application_name",
      conninfo: `host=127.0.0.1 port=${port} user=alice password=secret fallback_application_name=fallback`,
      env: { PGAPPNAME: "from env" },
      expect: "|from env|",
    },
    {
      name: "requiressl",
      conninfo: `host=127.0.0.1 port=${port} user=alice password=secret requiressl=1`,
      expect: "TLSv1",
    },
    {
      name: "a socket folder",
      conninfo: `host=${socketDirectory} port=${port} user=alice password=secret dbname=shop`,
      expect: "shop|socket",
    },
    {
      name: "a database name with = in a string",
      conninfo: `host=127.0.0.1 port=${port} user=alice password=secret dbname='a=b'`,
      expect: "alice|a=b",
    },
    {
      name: "a dbname that looks like a string stays a name",
      conninfo: `host=127.0.0.1 port=${port} user=alice password=secret dbname='dbname=shop'`,
      fails: /database "dbname=shop" does not exist/,
    },
    {
      name: "a bare word is a database",
      conninfo: "shop",
      env: { PGHOST: "127.0.0.1", PGPORT: String(port), PGUSER: "alice", PGPASSWORD: "secret" },
      expect: "alice|shop",
    },
    { name: "an unclosed quote", conninfo: "host=127.0.0.1 password='secret", fails: /quoted/ },
    {
      name: "a word without =",
      conninfo: "host=127.0.0.1 nonsense",
      fails: /without "="/,
      psqlFails: /missing "="/,
    },
    { name: "an unknown key", conninfo: "host=127.0.0.1 usr=alice", fails: /usr/ },
    { name: "a port that is no number", conninfo: "host=127.0.0.1 port=http", fails: /port/ },
    { name: "a port out of range", conninfo: "host=127.0.0.1 port=70000", fails: /port/ },
    { name: "an unknown sslmode", conninfo: "host=127.0.0.1 sslmode=maybe", fails: /sslmode/ },
    { name: "an empty sslmode", conninfo: "host=127.0.0.1 sslmode=''", fails: /sslmode/ },
    {
      name: "an unknown target_session_attrs",
      conninfo: "host=127.0.0.1 target_session_attrs=master",
      fails: /target_session_attrs/,
    },
    {
      name: "a timeout that is no number",
      conninfo: `host=127.0.0.1 port=${port} connect_timeout=soon`,
      fails: /connect_timeout/,
    },
    {
      name: "an address that is none",
      conninfo: `hostaddr=localhost port=${port}`,
      fails: /hostaddr/,
      psqlFails: /network address/,
    },
  ];
};
