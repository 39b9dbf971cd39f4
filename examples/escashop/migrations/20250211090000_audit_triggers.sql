-- godwit:description Orders, payments and tickets are audited from here on
-- godwit:lock_timeout 2s
-- migrate:up
CREATE FUNCTION audit.record_change() RETURNS trigger
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $record_change$
BEGIN
  INSERT INTO audit.events (table_name, row_id, action, actor, old_row, new_row)
  VALUES (
    TG_TABLE_NAME,
    CASE TG_OP WHEN 'DELETE' THEN OLD.id ELSE NEW.id END,
    TG_OP,
    coalesce(nullif(current_setting('escashop.actor', true), ''), session_user),
    CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END,
    CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END
  );
  RETURN NULL;
END;
$record_change$;
REVOKE ALL ON FUNCTION audit.record_change() FROM PUBLIC;

CREATE TRIGGER orders_audit AFTER INSERT OR UPDATE OR DELETE ON orders
  FOR EACH ROW EXECUTE FUNCTION audit.record_change();
CREATE TRIGGER payments_audit AFTER INSERT OR UPDATE OR DELETE ON payments
  FOR EACH ROW EXECUTE FUNCTION audit.record_change();
CREATE TRIGGER queue_tickets_audit AFTER INSERT OR UPDATE OR DELETE ON queue_tickets
  FOR EACH ROW EXECUTE FUNCTION audit.record_change();

-- migrate:down
DROP TRIGGER queue_tickets_audit ON queue_tickets;
DROP TRIGGER payments_audit ON payments;
DROP TRIGGER orders_audit ON orders;
DROP FUNCTION audit.record_change();
