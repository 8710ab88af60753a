"""The API describes itself: every route in the schema, a schema without warnings, a page that
works under its own policy.
"""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admindocs.views import simplify_regex
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import expect

from core.api import error_body
from core.domain.errors import ErrorReason
from tests.chromium import Watch, be_patient, running_chromium
from tests.live_portal import LivePortal

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:  # Any: JSON
    out = io.StringIO()
    call_command(
        "spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=out
    )
    described: dict[str, Any] = json.loads(out.getvalue())
    return described


def test_the_schema_describes_every_route_of_the_api_and_nothing_else(
    schema: dict[str, Any],
) -> None:
    served = {
        (path, method)
        for path, view in api_routes()
        for method in METHODS
        if hasattr(view.callback.view_class, method)  # type: ignore[attr-defined]  # Django's
    }

    described = {(path, method) for path, item in schema["paths"].items() for method in item}

    assert described == served


def test_every_operation_says_what_it_answers_and_only_crypto_prices_need_no_key(
    schema: dict[str, Any],
) -> None:
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            assert operation["description"], (method, path)
            assert operation["responses"], (method, path)
            assert (
                {} in operation["security"]
                or {"keyId": [], "keySecret": []} in operation["security"]
            ), (method, path, operation["security"])


def test_every_operation_describes_what_it_takes_and_answers(schema: dict[str, Any]) -> None:
    """By fields: a bare object would say nothing. An approval is its address alone."""
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            takes_body = method in {"post", "put", "patch"} and not path.endswith("/approve")
            assert ("requestBody" in operation) is takes_body, (method, path)
            answers = {s: a for s, a in operation["responses"].items() if s != "default"}
            for status, answer in answers.items():
                shape = answer.get("content", {}).get("application/json", {}).get("schema")
                assert (shape is None) is (status == "204"), (method, path)
                assert shape is None or is_described(shape), (method, path, shape)


def test_every_operation_may_be_refused_in_the_one_shape(schema: dict[str, Any]) -> None:
    told = set(schema["components"]["schemas"]["Error"]["properties"])
    assert told == set(error_body(status=400, code=1, reason=ErrorReason.INTERNAL, message=""))
    for item in schema["paths"].values():
        for operation in item.values():
            refused = operation["responses"]["default"]
            assert refused["content"]["application/json"]["schema"] == {
                "$ref": "#/components/schemas/Error"
            }
            for answer in operation["responses"].values():
                assert {"X-RateLimit-Remaining", "RateLimit", "X-Request-ID"} <= set(
                    answer["headers"]
                )
            assert "Retry-After" in refused["headers"]


def is_described(shape: dict[str, Any]) -> bool:  # Any: JSON
    """A named shape, a list of such, or an object that maps names to such."""
    inner = shape.get("items") or shape.get("additionalProperties") or shape
    return "$ref" in inner


def test_the_order_shows_its_fields(schema: dict[str, Any]) -> None:
    body = schema["paths"]["/v2/orders"]["post"]
    sent = body["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    fields = schema["components"]["schemas"][sent.rpartition("/")[2]]

    assert set(fields["required"]) == {"symbol", "side", "type", "time_in_force"}
    assert "Idempotency-Key" in {parameter["name"] for parameter in body["parameters"]}


@pytest.mark.browser
@pytest.mark.processes
@pytest.mark.xdist_group("contracts")
def test_the_reference_page_opens_under_its_own_policy(live_portal: LivePortal) -> None:
    with running_chromium() as browser:
        page = be_patient(browser.new_context()).new_page()
        watch = Watch(page, live_portal.url)

        answer = page.goto(f"{live_portal.url}/api/docs")

        assert answer is not None
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        expect(page.get_by_role("heading", name="Tradeportal API")).to_be_visible()
        operation = page.locator("#operations-v2-submit_order")
        operation.get_by_role("button", name="/v2/orders").first.click()
        expect(operation.get_by_text("Place an order.")).to_be_visible()
        assert watch.complaints == []
        assert watch.strangers == []


def api_routes() -> Iterator[tuple[str, URLPattern]]:
    for path, pattern in walk(get_resolver().url_patterns, ""):
        if path.startswith(("/v2/", "/v2:", "/v1beta3/", "/api/v1/")):
            yield path.replace("<", "{").replace(">", "}"), pattern


def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for entry in patterns:
        whole = prefix + entry.pattern.regex.pattern.removeprefix("^").removeprefix("\\A")
        if isinstance(entry, URLResolver):
            yield from walk(entry.url_patterns, whole)
        else:
            yield simplify_regex(whole.replace("\\Z", "$").replace("\\-", "-")), entry
