"""Addresses of the trading pages and of the orders API (no trailing slashes: see ADR 0006)."""

from django.urls import URLPattern, URLResolver, path

from orders import api
from orders.account_api import activities, configurations, history, positions
from orders.native import limits, markets, risk
from orders.native import orders as native
from orders.native.batch import OrderBatchView
from orders.native.cancel_after import CancelAfterView
from orders.native.preview import OrderPreviewView
from orders.native.queue import QueuedOrderView, QueueView
from orders.views import changing, charts, operating, order_page, ordering, switching, terminal
from orders.views import limits as limit_pages

app_name = "orders"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", terminal.home, name="home"),
    path("terminal", terminal.terminal, name="terminal"),
    path("orders/place", ordering.place, name="place"),
    path("orders/preview", ordering.preview, name="preview"),
    path("orders/cancel-all", changing.cancel_all, name="cancel-all"),
    path("orders/<uuid:order_id>/change", changing.change, name="change"),
    path("orders/<uuid:order_id>/change/preview", changing.what_if, name="preview-change"),
    path("orders/<uuid:order_id>", order_page.order_page, name="order"),
    path("orders/<uuid:order_id>/cancel", ordering.cancel, name="cancel"),
    path("v2/orders", api.OrdersView.as_view(), name="api-orders"),
    path("v2/orders/<uuid:order_id>", api.OneOrderView.as_view(), name="api-order"),
    path(
        "v2/orders:by_client_order_id",
        api.OrderByClientIdView.as_view(),
        name="api-order-by-client-id",
    ),
    path("v2/positions", positions.PositionsView.as_view(), name="positions"),
    path("v2/positions/<path:asset>", positions.PositionView.as_view(), name="position"),
    path(
        "v2/account/configurations",
        configurations.ConfigurationsView.as_view(),
        name="configurations",
    ),
    path("v2/account/activities", activities.ActivitiesView.as_view(), name="activities"),
    path(
        "v2/account/activities/<str:activity_type>",
        activities.ActivitiesOfTypeView.as_view(),
        name="activities-of-type",
    ),
    path(
        "v2/account/portfolio/history",
        history.PortfolioHistoryView.as_view(),
        name="portfolio-history",
    ),
    path("api/v1/orders", native.NativeOrdersView.as_view(), name="native-orders"),
    path("api/v1/cancel-after", CancelAfterView.as_view(), name="native-cancel-after"),
    path("api/v1/orders/preview", OrderPreviewView.as_view(), name="native-order-preview"),
    path("api/v1/orders/batch", OrderBatchView.as_view(), name="native-order-batch"),
    path("api/v1/orders/<uuid:order_id>", native.NativeOrderView.as_view(), name="native-order"),
    path("operate/orders", operating.queue, name="queue"),
    path("operate/orders/<uuid:order_id>/cancel", operating.cancel, name="operate-cancel"),
    path("operate/markets", operating.markets, name="markets"),
    path("operate/markets/set", operating.set_market, name="set-market"),
    path("api/v1/queue", QueueView.as_view(), name="api-queue"),
    path("api/v1/queue/<uuid:order_id>/cancel", QueuedOrderView.as_view(), name="api-queue-cancel"),
    path("risk/limits", limit_pages.page, name="limits"),
    path("risk/limits/set", limit_pages.change, name="set-limit"),
    path("risk/limits/recommended", limit_pages.set_recommended, name="recommended-limits"),
    path("risk/limits/requests/<int:request_id>", limit_pages.decide, name="decide-limit"),
    path("risk/switch", switching.switch, name="switch"),
    path("risk/kill", switching.kill, name="kill"),
    path("risk/enable", switching.ask_to_enable, name="ask-to-enable"),
    path("api/v1/kill", risk.KillView.as_view(), name="api-kill"),
    path("api/v1/enable", risk.EnableView.as_view(), name="api-enable"),
    path(
        "api/v1/enable/<int:request_id>/approve",
        risk.EnableApproveView.as_view(),
        name="api-enable-approve",
    ),
    path(
        "api/v1/enable/<int:request_id>/reject",
        risk.EnableRejectView.as_view(),
        name="api-enable-reject",
    ),
    path("api/v1/risk/state", risk.RiskStateView.as_view(), name="api-risk-state"),
    path("api/v1/risk/limits", limits.LimitsView.as_view(), name="api-limits"),
    path("api/v1/risk/limits/raise", limits.RaiseView.as_view(), name="api-limit-raise"),
    path(
        "api/v1/risk/limits/requests/<int:request_id>/approve",
        limits.RaiseApproveView.as_view(),
        name="api-limit-approve",
    ),
    path(
        "api/v1/risk/limits/requests/<int:request_id>/reject",
        limits.RaiseRejectView.as_view(),
        name="api-limit-reject",
    ),
    path(
        "api/v1/risk/limits/recommended",
        limits.RecommendedView.as_view(),
        name="api-limit-recommended",
    ),
    path("api/v1/risk/limits/kinds", limits.LimitKindsView.as_view(), name="api-limit-kinds"),
    path("api/v1/markets", markets.MarketsView.as_view(), name="api-markets"),
    path("api/v1/markets/state", markets.MarketStateView.as_view(), name="api-market-state"),
    path("api/v1/markets/bands", markets.MarketBandsView.as_view(), name="api-market-bands"),
    path("api/v1/markets/plans", markets.MarketPlansView.as_view(), name="api-market-plans"),
    path(
        "api/v1/markets/plans/<int:plan_id>/withdraw",
        markets.MarketPlanWithdrawView.as_view(),
        name="api-market-plan-withdraw",
    ),
    path("charts/bars", charts.bars, name="bars"),
    path("charts/indicators", charts.indicators, name="indicators"),
    path("charts/formulas", charts.save, name="save-formula"),
    path("charts/formulas/<uuid:formula_id>/delete", charts.delete, name="delete-formula"),
]
