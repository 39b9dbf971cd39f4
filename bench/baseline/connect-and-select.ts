// The least a Node program can do with a database: connect, ask once, end. Bundled before it is measured.
import { Client } from "pg";

const client = new Client({ connectionString: process.argv[2] });
await client.connect();
await client.query("SELECT 1");
await client.end();
