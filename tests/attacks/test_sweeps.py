"""Attacks that try every address: as a stranger, halfway in, across sites, by GET."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User
from tests.attacks.routes import all_routes
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

ROUTES = all_routes()
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]

PUBLIC = {
    "health-live",
    "health-ready",
    "metrics",
    "accounts:sign-in",
    "accounts:sign-out",  # there is nothing to end
    "orders:home",  # leads on to the terminal, which refuses
    "admin:logout",  # leads back to the console, which refuses
    "licences",
    "api-schema",
    "api-docs",
    # Prices of crypto are public in the dialect: stock clients ask for them without a key.
    "marketdata:crypto-bars",
    "marketdata:crypto-trades",
    "marketdata:crypto-quotes",
    "marketdata:crypto-snapshots",
    "marketdata:crypto-latest",
}
"""All that somebody without a name may be answered with something other than a refusal."""

HALFWAY = {"accounts:sign-in", "accounts:sign-out", "accounts:otp"}
WITHOUT_ENGINE = {503}
"""What a route that needs the engine answers here, where none runs: a refusal, not a failure."""

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def row_counts() -> dict[str, int]:
    """How many rows every table has: what nothing here may change."""
    return {
        model._meta.label: model._default_manager.count()
        for model in apps.get_models()
        if model._meta.label not in {"sessions.Session", "django_prometheus"}
    }


@pytest.fixture
def nothing_changes(db: None) -> Iterator[Callable[[], None]]:
    """Call it when all is arranged; at the end of the test every table is as it was then."""
    before: dict[str, int] = {}
    yield lambda: before.update(row_counts())
    assert before
    assert row_counts() == before


def has_security_headers(response: HttpResponse) -> bool:
    policy = response.get("Content-Security-Policy", "")
    return (
        all(response.get(name) == value for name, value in SECURITY_HEADERS.items())
        and "default-src 'none'" in policy
        and "frame-ancestors 'none'" in policy
        and "base-uri 'none'" in policy
        and "Server" not in response
        and "X-Powered-By" not in response
    )


def is_refusal(response: HttpResponse) -> bool:
    if response.status_code == 302:
        return response["Location"].startswith(("/accounts/sign-in", "/admin/login/"))
    return response.status_code in {401, 403, 404, 405}


def test_there_are_routes_to_sweep() -> None:
    names = {route.name for route in ROUTES}

    assert len(ROUTES) > 100
    assert {"orders:place", "orders:api-orders", "admin:index", "portfolio:account"} <= names
    assert {name for name in PUBLIC if name not in names} == set()


@pytest.mark.parametrize("method", METHODS)
def test_a_stranger_is_refused_everywhere(
    client: Client, method: str, nothing_changes: Callable[[], None]
) -> None:
    nothing_changes()

    for route in ROUTES:
        response = client.generic(method, route.path)

        assert response.status_code < 500 or response.status_code in WITHOUT_ENGINE, route
        assert has_security_headers(response), route
        if route.name not in PUBLIC and method not in {"OPTIONS"}:
            assert is_refusal(response), (method, route, response.status_code)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_password_without_its_second_factor_opens_nothing(
    client: Client, alice: User, method: str, nothing_changes: Callable[[], None]
) -> None:
    alice.is_superuser = True  # the most that there is to lose
    alice.save()
    TOTPDevice.objects.create(user=alice, name="phone", confirmed=True)
    client.force_login(alice)
    nothing_changes()

    for route in ROUTES:
        if route.name in HALFWAY:
            continue
        page = client.generic(method, route.path)
        program = client.generic(method, route.path, headers={"Accept": "application/json"})

        if page.status_code == 302:
            assert page["Location"].startswith("/accounts/otp?next="), route
        else:
            assert page.status_code == 403, (route, page.status_code)
        assert program.status_code == 403, (route, program.status_code)
        assert program.json()["reason"] == "MFA_REQUIRED", route


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain"])
def test_another_site_cannot_act_for_a_signed_in_person(
    alice: User, content_type: str, nothing_changes: Callable[[], None]
) -> None:
    browser = Client(enforce_csrf_checks=True)
    alice.is_superuser = True
    alice.save()
    browser.force_login(alice)
    nothing_changes()

    for route in ROUTES:
        for origin in ("https://evil.example", "null"):
            response = browser.post(
                route.path,
                data=b'{"symbol":"AAPL","qty":"1"}',
                content_type=content_type,
                headers={"Origin": origin, "Referer": "https://evil.example/"},
            )
            assert response.status_code in {400, 401, 403, 404, 405, 415}, (
                route,
                response.status_code,
            )
            assert "Access-Control-Allow-Origin" not in response, route
    assert "_auth_user_id" in browser.session


@pytest.mark.parametrize("who", ["trader", "superuser"])
def test_opening_an_address_changes_nothing(
    client: Client, alice: User, who: str, nothing_changes: Callable[[], None]
) -> None:
    alice.is_superuser = who == "superuser"
    alice.save()
    client.force_login(alice)
    nothing_changes()

    for route in ROUTES:
        for method in ("GET", "HEAD"):
            response = client.generic(method, route.path)
            assert response.status_code < 500 or response.status_code in WITHOUT_ENGINE, route
            assert has_security_headers(response), route
    assert "_auth_user_id" in client.session


def test_personal_pages_stay_out_of_caches(client: Client, alice: User) -> None:
    alice.is_superuser = True
    alice.save()
    client.force_login(alice)

    for route in ROUTES:
        caching = client.get(route.path).get("Cache-Control", "")
        assert "no-store" in caching, (route, caching)


@pytest.mark.parametrize(
    "path",
    [
        "/.git/config", "/.git/HEAD", "/.env", "/.ci/run", "/.importlinter", "/manage.py",
        "/debug", "/debug/", "/__debug__/", "/console", "/phpinfo.php", "/server-status",
        "/openapi.json", "/swagger.json", "/graphql", "/admin/doc/", "/admin/password_change/",
        "/static/", "/static/../manage.py", "/static/%2e%2e/manage.py", "/static/..%2fmanage.py",
        "/static/%2e%2e%2f%2e%2e%2fetc/passwd", "/var/secrets/secret-key", "/media/x",
        "/admin/otp_totp/totpdevice/", "/admin/auth/group/", "/admin/axes/accessattempt/",
        "/admin/sessions/session/", "/v2", "/v2/", "/v2/../admin/", "/v2/%2e%2e/admin/",
        "//admin/", "/admin;x=/", "/admin%2f", "/ADMIN/", "/%61dmin%00/", "/accounts/../admin/",
        "/" + "a" * 4000, "/%00", "/%ff", "/terminal%0d%0aSet-Cookie:x=y",
    ],
    ids=lambda path: path[:40],
)  # fmt: skip
def test_what_is_not_there_says_nothing(client: Client, path: str) -> None:
    response = client.get(path)

    assert response.status_code in {301, 302, 400, 403, 404}, response.status_code
    assert has_security_headers(response)
    text = response.content.decode(errors="replace")
    for word in ("Django", "Traceback", "settings", "DEBUG", "urlpatterns", "Python/"):
        assert word not in text
    assert "x=y" not in str(response.cookies)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil", ""])
def test_a_foreign_host_is_refused(client: Client, settings: object, host: str) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]  # type: ignore[attr-defined]

    response = client.get("/accounts/sign-in", HTTP_HOST=host)

    assert response.status_code == 400
    assert "evil" not in response.content.decode()
    forwarded = client.get(
        "/accounts/sign-in", HTTP_HOST="127.0.0.1", HTTP_X_FORWARDED_HOST="evil.example"
    )
    assert "evil" not in forwarded.content.decode()


def test_the_csrf_refusal_is_a_page_with_all_headers(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)

    response = browser.post("/accounts/sign-in", {"username": "alice", "password": PASSWORD})

    assert response.status_code == 403
    assert has_security_headers(response)
    assert PASSWORD not in response.content.decode()


def run_with_https(*arguments: str) -> str:
    """A fresh process with the settings of a portal behind TLS."""
    script = (
        "import os;"
        "os.environ.update(PORTAL_PUBLIC_URL='https://portal.example',"
        "PORTAL_ALLOWED_HOSTS='portal.example');"
        "import runpy, sys; sys.argv = ['manage.py', *sys.argv[1:]];"
        "runpy.run_path('manage.py', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout + done.stderr


def test_behind_tls_cookies_are_locked_to_the_host() -> None:
    shown = run_with_https(
        "shell",
        "--no-imports",
        "-c",
        "from django.conf import settings as s;"
        "print(s.SESSION_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY,"
        " s.SESSION_COOKIE_SAMESITE, s.SESSION_COOKIE_DOMAIN, s.SESSION_COOKIE_PATH);"
        "print(s.CSRF_COOKIE_NAME, s.CSRF_COOKIE_SECURE, s.CSRF_COOKIE_HTTPONLY,"
        " s.CSRF_COOKIE_SAMESITE, s.CSRF_COOKIE_DOMAIN, s.SECURE_HSTS_SECONDS)",
    )

    assert "__Host-sessionid True True Lax None /" in shown
    assert "__Host-csrftoken True True Strict None 31536000" in shown


def test_djangos_own_deployment_check_leaves_only_the_proxys_part() -> None:
    found = run_with_https("check", "--deploy", "--tag", "security")

    # Sending http to https is done by the proxy that holds the certificate (W008 says so itself).
    assert set(re.findall(r"\(([a-z]+\.[A-Z]\d+)\)", found)) == {"security.W008"}
    # Our own sign-in page answers who is locked out, so axes' middleware is left out on purpose.
    assert "(1 silenced)" in found
    assert settings.SILENCED_SYSTEM_CHECKS == ["axes.W002"]


def test_cookies_of_a_sign_in_are_out_of_reach_of_scripts(client: Client, alice: User) -> None:
    response = client.post("/accounts/sign-in", {"username": "alice", "password": PASSWORD})

    for name in ("sessionid", "csrftoken"):
        cookie = response.cookies[name]
        assert cookie["httponly"]
        assert cookie["samesite"] in {"Lax", "Strict"}
        assert not cookie["domain"]
