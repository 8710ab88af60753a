from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0010_gtd_orders'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='is_opening',
            field=models.BooleanField(default=True),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='order',
            name='margin_percent',
            field=models.PositiveSmallIntegerField(default=100),
        ),
        migrations.AddField(
            model_name='order',
            name='hold_price',
            field=models.DecimalField(decimal_places=8, max_digits=28, null=True),
        ),
        # Until now a buy held cash and a sell quantity.
        migrations.RunSQL(
            "UPDATE orders_order SET is_opening = false WHERE side = 'SELL'",
            migrations.RunSQL.noop,
        ),
    ]
