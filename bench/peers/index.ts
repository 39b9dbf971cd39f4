import type { Peer } from "../peer.ts";
import { peer as alembic } from "./alembic.ts";
import { peer as dbmate } from "./dbmate.ts";
import { peer as drizzle } from "./drizzle.ts";
import { peer as godwit } from "./godwit.ts";
import { peer as knex } from "./knex.ts";
import { peer as nodePgMigrate } from "./node-pg-migrate.ts";
import { peer as postgresMigrations } from "./postgres-migrations.ts";
import { peer as psql } from "./psql.ts";
import { peer as sqlMigrate } from "./sql-migrate.ts";
import { peer as umzug } from "./umzug.ts";

/** Everything that is measured: the floor, Godwit, and the tools it is compared with. */
export const PEERS: readonly Peer[] = [
  psql,
  godwit,
  sqlMigrate,
  postgresMigrations,
  nodePgMigrate,
  knex,
  umzug,
  drizzle,
  alembic,
  dbmate,
];
