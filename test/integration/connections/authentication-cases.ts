import type { Cases } from "./case.ts";

/** How client and server prove who they are, and what fails where nobody does. */
export const authenticationCases: Cases = ({ main }) => {
  const { port } = main;
  const alice = `host=127.0.0.1 port=${port} user=alice password=secret`;
  return [
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
