import django.db.models.deletion
from django.db import migrations, models

# The other half of the references that the database no longer checks (docs/adr/0016): nobody can
# delete what orders, executions, transfers and holds name. Asked at the end of the transaction, as
# a foreign key would. Arguments: the key, then pairs of table and column that name it.
GUARD = """
CREATE FUNCTION refuse_delete_while_named() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  key text := to_jsonb(OLD) ->> TG_ARGV[0];
  is_named boolean;
BEGIN
  FOR number IN 1 .. TG_NARGS - 1 BY 2 LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE %I = %L)',
      TG_ARGV[number], TG_ARGV[number + 1], key) INTO is_named;
    IF is_named THEN
      RAISE foreign_key_violation USING MESSAGE = format('%s %s is named by %s.%s',
        TG_TABLE_NAME, key, TG_ARGV[number], TG_ARGV[number + 1]);
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
"""
NAMED_BY = {
    "marketdata_instrument": (
        "id",
        ("orders_order", "instrument_id"),
        ("orders_execution", "instrument_id"),
        ("portfolio_hold", "instrument_id"),
    ),
    "marketdata_currency": (
        "code",
        ("portfolio_transfer", "currency_id"),
        ("portfolio_hold", "currency_id"),
    ),
    "portfolio_tradingaccount": (
        "id",
        ("orders_order", "account_id"),
        ("orders_execution", "account_id"),
        ("portfolio_transfer", "debit_account_id"),
        ("portfolio_transfer", "credit_account_id"),
        ("portfolio_hold", "account_id"),
    ),
    "orders_order": ("id", ("orders_execution", "order_id")),
}


def guard(table):
    key, *named_by = NAMED_BY[table]
    arguments = ", ".join([f"'{item}'" for item in (key, *(name for pair in named_by for name in pair))])
    return migrations.RunSQL(
        f"CREATE CONSTRAINT TRIGGER delete_guard AFTER DELETE ON {table}"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        f" EXECUTE FUNCTION refuse_delete_while_named({arguments})",
        f"DROP TRIGGER delete_guard ON {table}",
    )


class Migration(migrations.Migration):

    dependencies = [
        ('marketdata', '0006_volatility_bands'),
        ('orders', '0018_lists_by_time'),
        ('portfolio', '0010_references_of_hot_tables'),
    ]

    operations = [
        migrations.AlterField(
            model_name='execution',
            name='account',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to='portfolio.tradingaccount'),
        ),
        migrations.AlterField(
            model_name='execution',
            name='instrument',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to='marketdata.instrument'),
        ),
        migrations.AlterField(
            model_name='execution',
            name='order',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, to='orders.order'),
        ),
        migrations.AlterField(
            model_name='order',
            name='account',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to='portfolio.tradingaccount'),
        ),
        migrations.AlterField(
            model_name='order',
            name='instrument',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to='marketdata.instrument'),
        ),
        migrations.RunSQL(GUARD, "DROP FUNCTION refuse_delete_while_named()"),
        *(guard(table) for table in NAMED_BY),
    ]
