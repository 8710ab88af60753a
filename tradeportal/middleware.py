"""The Content-Security-Policy by part of the site: strict with Trusted Types on our pages.

The admin (its theme evaluates Alpine expressions) and the API reference are other people's pages:
they get a policy of their own, still without any foreign origin. ADR 0007.
"""

from csp.constants import NONE, SELF
from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponseBase

THIRD_PARTY_PAGES = ("/admin/", "/api/docs")
THIRD_PARTY_POLICY = {
    "default-src": [NONE],
    "script-src": [SELF, "'unsafe-eval'", "'unsafe-inline'"],
    "style-src": [SELF, "'unsafe-inline'"],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
    # Named, because what is not named here stays as it is in the portal's own policy.
    "require-trusted-types-for": None,
    "trusted-types": None,
}


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if request.path.startswith(THIRD_PARTY_PAGES):
            response._csp_replace = THIRD_PARTY_POLICY  # type: ignore[attr-defined]  # its hook
        result: HttpResponseBase = super().process_response(request, response)
        result["Cross-Origin-Resource-Policy"] = "same-origin"
        result["Cross-Origin-Opener-Policy"] = "same-origin"  # the API reference asks for none
        result["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()"
        return result
