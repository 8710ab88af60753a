from django.db import migrations, models


class Migration(migrations.Migration):
    """An account's default of self-trade prevention."""

    dependencies = [
        ('portfolio', '0004_desks'),
    ]

    operations = [
        migrations.AddField(
            model_name='tradingaccount',
            name='stp_mode',
            field=models.CharField(choices=[('REJECT', 'Reject'), ('EXPIRE_TAKER', 'Expire Taker'), ('EXPIRE_MAKER', 'Expire Maker'), ('EXPIRE_BOTH', 'Expire Both'), ('DECREMENT', 'Decrement')], default='REJECT', max_length=16),
        ),
    ]
