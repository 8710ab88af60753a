"""Error pages: real pages for people, one error shape for programs, the request's id in both."""

from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import path

from accounts.models import User
from core.request_context import begin_request
from tradeportal import error_pages
from tradeportal import urls as portal_urls

JSON = {"accept": "application/json"}


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("broken on purpose")


urlpatterns = [path("broken", broken), *portal_urls.urlpatterns]
handler404 = portal_urls.handler404
handler500 = portal_urls.handler500


def test_an_unknown_address_is_a_page_with_the_request_id(client: Client, db: None) -> None:
    response = client.get("/nowhere")

    html = response.content.decode()
    assert response.status_code == 404
    assert "There is nothing here" in html
    assert response.headers["X-Request-ID"] in html


def test_an_unknown_address_is_json_for_a_program(client: Client, db: None) -> None:
    response = client.get("/nowhere", headers=JSON)

    assert response.status_code == 404
    assert response.json()["reason"] == "NOT_FOUND"
    assert response.json()["request_id"] == response.headers["X-Request-ID"]


@override_settings(ROOT_URLCONF=__name__)
def test_a_fault_shows_its_id_and_nothing_of_its_cause(db: None) -> None:
    response = Client(raise_request_exception=False).get("/broken")

    html = response.content.decode()
    assert response.status_code == 500
    assert response.headers["X-Request-ID"] in html
    assert "broken on purpose" not in html


def test_a_fault_page_needs_no_database() -> None:
    begin_request(None)

    response = error_pages.server_error(RequestFactory().get("/"))

    assert "Something broke on our side" in response.content.decode()


def test_an_expired_form_has_its_own_page(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)

    response = client.post("/orders/cancel-all")

    assert response.status_code == 403
    assert "The form had expired" in response.content.decode()


@pytest.mark.parametrize(
    ("answer", "status"), [(error_pages.bad_request, 400), (error_pages.forbidden, 403)]
)
def test_other_refusals_have_pages(
    answer: Callable[[HttpRequest, Exception], HttpResponse], status: int
) -> None:
    begin_request(None)

    assert answer(RequestFactory().get("/"), ValueError()).status_code == status


def test_the_licences_carry_the_charting_notice(client: Client, db: None) -> None:
    html = client.get("/about/licences").content.decode()

    assert "TradingView Lightweight Charts™" in html
    assert "Copyright © 2023 TradingView, Inc." in html
    assert 'href="https://www.tradingview.com/"' in html
