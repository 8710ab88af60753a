"""Routes of the yardstick."""

from django.urls import path

from benchmarks.naive.api import OrderDetailView, OrderListView

urlpatterns = [
    path("orders", OrderListView.as_view()),
    path("orders/<int:order_id>", OrderDetailView.as_view()),
]
