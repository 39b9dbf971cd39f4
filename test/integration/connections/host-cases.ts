import type { Cases } from "./case.ts";

/** Several hosts, and which kind of server is wanted. */
export const hostCases: Cases = ({ main, plain, standby, password, silentPort }) => {
  const { port } = main;
  const postgres = `user=postgres password=${password}`;
  const hosts = (ports: (number | string)[]): string =>
    `host=${ports.map(() => "127.0.0.1").join(",")} port=${ports.join(",")} ${postgres}`;
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
  ];
};
