"""A company for benchmarks: an issuer on loopback, tokens that it signs (ES256 by openssl), and a proxy that takes them."""
import base64
import http.server
import json
import os
import subprocess
import threading
import time

from .machine import free_port
from .proxies import Proxy


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


class Issuer:
    """Serves its key set; signs what it is asked to."""

    def __init__(self, folder):
        self.key = os.path.join(folder, 'issuer.pem')
        subprocess.run(['openssl', 'ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', self.key], check=True, capture_output=True)
        point = subprocess.run(['openssl', 'ec', '-in', self.key, '-pubout', '-outform', 'DER'], check=True, capture_output=True).stdout[-64:]
        jwks = json.dumps({'keys': [{'kty': 'EC', 'crv': 'P-256', 'kid': 'k', 'x': base64url(point[:32]), 'y': base64url(point[32:])}]}).encode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header('Content-Length', str(len(jwks)))
                self.end_headers()
                self.wfile.write(jwks)

            def log_message(self, *_):
                pass

        self.port = free_port()
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f'http://127.0.0.1:{self.port}'

    def token(self, subject, seconds=3600):
        """What RFC 9068 section 2.2 demands, and scopes: 440 bytes."""
        claims = {'iss': self.url, 'aud': 'https://mcp.acme.example', 'sub': subject, 'iat': int(time.time()), 'exp': int(time.time()) + seconds,
                  'jti': os.urandom(16).hex(), 'client_id': 'mcp-client', 'scope': 'openid mcp'}
        text = base64url(json.dumps({'alg': 'ES256', 'typ': 'at+jwt', 'kid': 'k'}).encode()) + '.' + base64url(json.dumps(claims).encode())
        der = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', self.key], input=text.encode(), check=True, capture_output=True).stdout
        r = der[4:4 + der[3]]
        s = der[4 + der[3] + 2:]
        return text + '.' + base64url(r[-32:].rjust(32, b'\0') + s[-32:].rjust(32, b'\0'))

    def stop(self):
        self.server.shutdown()


class CallersProxy(Proxy):
    """mcp-reauth that wants to know who calls; `more` is YAML of its configuration, in place of its vault."""

    def __init__(self, folder, upstream, more, wrap=()):
        self.more = more
        super().__init__('mcp-reauth', folder, upstream, wrap=wrap)

    def mcp_reauth(self):
        command = super().mcp_reauth()
        path = command[command.index('--config') + 1]
        with open(path) as f:
            text = f.read()
        if 'vault:' in self.more:
            text = text.replace('vault: {backend: memory}\n', '')
        return [command[0], *command[1:command.index('--config')], '--config', self.write('callers.yaml', text + self.more)]
