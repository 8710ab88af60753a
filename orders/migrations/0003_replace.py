from django.db import migrations, models


class Migration(migrations.Migration):
    """An order's place in time gets a column of its own; orders know whom they replace."""

    dependencies = [
        ('marketdata', '0001_initial'),
        ('orders', '0002_stop_orders'),
        ('portfolio', '0001_initial'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='order',
            name='order_elected_has_stop',
        ),
        migrations.RemoveIndex(
            model_name='order',
            name='order_elected',
        ),
        migrations.RenameField(
            model_name='order',
            old_name='elected_sequence',
            new_name='rank',
        ),
        migrations.RunSQL(
            'UPDATE orders_order SET rank = sequence WHERE rank IS NULL',
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name='order',
            name='rank',
            field=models.BigIntegerField(),
        ),
        migrations.AddField(
            model_name='order',
            name='replaced_by',
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name='order',
            name='replaces',
            field=models.UUIDField(null=True),
        ),
        migrations.AlterField(
            model_name='order',
            name='status',
            field=models.CharField(choices=[('INITIALIZED', 'INITIALIZED'), ('DENIED', 'DENIED'), ('ACCEPTED', 'ACCEPTED'), ('TRIGGERED', 'TRIGGERED'), ('PARTIALLY_FILLED', 'PARTIALLY_FILLED'), ('FILLED', 'FILLED'), ('CANCELED', 'CANCELED'), ('EXPIRED', 'EXPIRED'), ('REPLACED', 'REPLACED')], max_length=16),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(condition=models.Q(('rank', models.F('sequence')), _negated=True), fields=['rank'], name='order_ranked_anew'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('replaced_by__isnull', True), ('status', 'REPLACED'), _connector='OR'), name='order_replaced_by_successor'),
        ),
    ]
