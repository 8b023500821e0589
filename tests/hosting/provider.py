"""A small OpenID Connect provider on loopback, which can be told to do wrong."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

CLIENT, SECRET, KEY = "glocal", "s3cret & more", "key 1"


class Provider(ThreadingHTTPServer):
    """Logs in at once whoever is named in ``who``; ``lies`` change the ID token, ``key`` signs it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.who: dict[str, object] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.reset()

    @cached_property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def reset(self) -> None:
        """Tell the truth again."""
        self.who = {"sub": "u1", "email": "Ada@institute.example", "email_verified": True}
        self.lies: dict[str, object] = {}
        self.signs = lambda claims: jwt.encode(claims, self.key, "ES256", headers={"kid": KEY})
        self.in_token = True

    def id_token(self, asked: dict[str, str]) -> str:
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": self.who["sub"], "nonce": asked["nonce"],
                  "iat": time.time(), "exp": time.time() + 300}  # fmt: skip
        return self.signs(claims | (self.who if self.in_token else {}) | self.lies)


class Answers(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        words = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/authorize":
            code = secrets.token_hex(8)
            self.server.codes[code] = words
            self.send_response(302)
            self.send_header(
                "Location", f"{words['redirect_uri']}?{urlencode({'code': code, 'state': words['state']})}"
            )
            self.end_headers()
        elif parts.path == "/userinfo":
            self.answer(self.server.who if self.headers["Authorization"] == "Bearer access" else {})
        elif parts.path == "/keys":
            public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.server.key.public_key()))
            self.answer({"keys": [public | {"kid": KEY, "use": "sig", "alg": "ES256"}]})
        else:
            root = self.server.issuer
            self.answer({"issuer": root, "authorization_endpoint": f"{root}/authorize", "jwks_uri": f"{root}/keys",
                         "token_endpoint": f"{root}/token", "userinfo_endpoint": f"{root}/userinfo"})  # fmt: skip

    def do_POST(self) -> None:
        body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        words = {name: values[0] for name, values in body.items()}
        asked = self.server.codes.pop(words["code"], None)  # a code counts once
        login = base64.b64encode(f"{CLIENT}:s3cret+%26+more".encode()).decode()
        proof = base64.urlsafe_b64encode(hashlib.sha256(words["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if asked is None or self.headers["Authorization"] != f"Basic {login}" or proof != asked["code_challenge"]:
            self.send_error(400)
        else:
            self.answer({"access_token": "access", "token_type": "Bearer", "id_token": self.server.id_token(asked)})

    def answer(self, words: dict) -> None:
        content = json.dumps(words).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_words: object) -> None:
        pass


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider that answers meanwhile."""
    with Provider() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
