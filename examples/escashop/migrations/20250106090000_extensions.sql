-- godwit:description Trusted extensions: the owner of the database installs them, no superuser needed
-- migrate:up
CREATE EXTENSION citext;
CREATE EXTENSION btree_gist;

-- migrate:down
DROP EXTENSION btree_gist;
DROP EXTENSION citext;
