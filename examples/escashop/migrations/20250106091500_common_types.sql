-- godwit:description Domains and the trigger function that every table with updated_at uses
-- migrate:up
CREATE DOMAIN currency_code AS text
  CONSTRAINT currency_code_is_iso_4217 CHECK (VALUE ~ '^[A-Z]{3}$');
COMMENT ON DOMAIN currency_code IS 'Three capital letters as in ISO 4217: CHF, BRL, VND, UAH';

CREATE DOMAIN percentage AS numeric(5, 2)
  CONSTRAINT percentage_in_range CHECK (VALUE BETWEEN 0 AND 100);

CREATE FUNCTION touch_updated_at() RETURNS trigger
  LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END;
$$;

-- migrate:down
DROP FUNCTION touch_updated_at();
DROP DOMAIN percentage;
DROP DOMAIN currency_code;
