from django.db import migrations, models


class Migration(migrations.Migration):
    """Orders that must rest, and orders that must only reduce a position."""

    dependencies = [
        ('orders', '0007_self_trade_prevention'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='post_only',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='order',
            name='reduce_only',
            field=models.BooleanField(default=False),
        ),
    ]
