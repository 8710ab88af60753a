from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    """Each order's mode of self-trade prevention, and the quantity that it kept from trading."""

    dependencies = [
        ('orders', '0006_keys_and_dead_men'),
    ]

    operations = [
        migrations.RemoveConstraint(model_name='order', name='order_quantities'),
        migrations.RemoveConstraint(model_name='order', name='order_filled_means_all'),
        migrations.AddField(
            model_name='order',
            name='prevented_quantity',
            field=models.DecimalField(decimal_places=8, default=0, max_digits=28),
        ),
        migrations.AddField(
            model_name='order',
            name='stp_mode',
            field=models.CharField(choices=[('REJECT', 'REJECT'), ('EXPIRE_TAKER', 'EXPIRE_TAKER'), ('EXPIRE_MAKER', 'EXPIRE_MAKER'), ('EXPIRE_BOTH', 'EXPIRE_BOTH'), ('DECREMENT', 'DECREMENT')], default='REJECT', max_length=16),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(
                condition=Q(
                    quantity__gt=0,
                    filled_quantity__gte=0,
                    prevented_quantity__gte=0,
                    filled_quantity__lte=F('quantity') - F('prevented_quantity'),
                ),
                name='order_quantities',
            ),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(
                condition=~Q(status='FILLED')
                | Q(filled_quantity=F('quantity') - F('prevented_quantity')),
                name='order_filled_means_all',
            ),
        ),
    ]
