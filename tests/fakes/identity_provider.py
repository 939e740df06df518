"""A small OpenID Connect provider on loopback: discovery, authorization with PKCE, signed tokens.

It checks what a real one checks (client, redirect address, code, verifier), so that a client that
forgets one of them fails against it.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "pilotdash", "a client's secret"


class IdentityProvider:
    """Runs in a thread. `claims` is who sits at the keyboard; `denies` is their answer."""

    def __init__(self):
        self.claims = {}
        self.denies = False
        self.requests = []
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._granted, self._tokens = {}, {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                provider._answer(self, {})

            def do_POST(self):
                length = int(self.headers["content-length"])
                provider._answer(self, parse_qs(self.rfile.read(length).decode()))

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, handler, form):
        url = urlsplit(handler.path)
        self.requests.append(url.path)
        answer = {
            "/.well-known/openid-configuration": self._discovery,
            "/authorize": self._authorize,
            "/token": self._token,
            "/userinfo": self._userinfo,
            "/jwks": self._jwks,
        }.get(url.path)
        fields = {name: values[0] for name, values in (form or parse_qs(url.query)).items()}
        status, headers, body = answer(handler, fields) if answer else (404, {}, {})
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        content = json.dumps(body).encode()
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def _discovery(self, handler, fields):
        return (
            200,
            {},
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
                "code_challenge_methods_supported": ["S256"],
            },
        )

    def _authorize(self, handler, fields):
        if fields["client_id"] != CLIENT_ID or fields["code_challenge_method"] != "S256":
            return 400, {}, {"error": "invalid_request"}
        if "openid" not in fields["scope"].split():
            return 400, {}, {"error": "invalid_scope"}
        if self.denies:
            answer = {"error": "access_denied"}
        else:
            code = secrets.token_urlsafe()
            self._granted[code] = (fields["redirect_uri"], fields["code_challenge"])
            answer = {"code": code}
        query = urlencode(answer | {"state": fields["state"]})
        return 302, {"location": f"{fields['redirect_uri']}?{query}"}, {}

    def _token(self, handler, fields):
        redirect_uri, challenge = self._granted.pop(fields["code"], ("", ""))
        verifier = hashlib.sha256(fields.get("code_verifier", "").encode()).digest()
        if (
            (fields["client_id"], fields["client_secret"]) != (CLIENT_ID, CLIENT_SECRET)
            or fields["redirect_uri"] != redirect_uri
            or base64.urlsafe_b64encode(verifier).rstrip(b"=").decode() != challenge
        ):
            return 400, {}, {"error": "invalid_grant"}
        now = int(time.time())
        about = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 60}
        id_token = jwt.encode(
            self.claims | about, self._key, algorithm="RS256", headers={"kid": "1"}
        )
        access_token = secrets.token_urlsafe()
        self._tokens[access_token] = self.claims
        return (
            200,
            {},
            {"access_token": access_token, "token_type": "Bearer", "id_token": id_token},
        )

    def _userinfo(self, handler, fields):
        token = handler.headers.get("authorization", "").removeprefix("Bearer ")
        claims = self._tokens.get(token)
        return (200, {}, claims) if claims is not None else (401, {}, {})

    def _jwks(self, handler, fields):
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        return 200, {}, {"keys": [public | {"kid": "1", "use": "sig", "alg": "RS256"}]}
