-- godwit:description People who work in the shops and sign in
-- migrate:up
CREATE TYPE user_role AS ENUM ('admin', 'manager', 'sales', 'cashier');

CREATE TABLE users (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email         citext NOT NULL CONSTRAINT users_email_unique UNIQUE,
  display_name  text NOT NULL CONSTRAINT users_display_name_not_blank CHECK (btrim(display_name) <> ''),
  password_hash text,
  role          user_role NOT NULL DEFAULT 'sales',
  active        boolean NOT NULL DEFAULT true,
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN users.email IS 'Compared without regard to case (citext)';
COMMENT ON COLUMN users.password_hash IS 'NULL: signs in through the identity provider only';

CREATE TRIGGER users_touch BEFORE UPDATE ON users
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- migrate:down
DROP TABLE users;
DROP TYPE user_role;
