"""The proxies that are compared, each with one worker, as one would configure it for MCP: no buffering, keep-alive both ways."""
import os
import shutil
import signal
import subprocess
import threading
import urllib.request

from .machine import BINARY, PROXY_CORE, end, free_port, pinned, tree, wait_for

TOKEN = 'bench-token-bench-token-bench-token'
NODE = '''import http from 'node:http';
const agent = new http.Agent({keepAlive: true});
http.createServer((q, a) => {
  const up = http.request({port: %d, host: '127.0.0.1', path: q.url, method: q.method, headers: q.headers, agent}, (r) => {
    a.writeHead(r.statusCode, r.headers); r.pipe(a); });
  up.on('error', () => a.destroy()); q.pipe(up);
}).listen(%d, '127.0.0.1');
'''


class Proxy:
    """One running proxy: `plain` and `tls` are ports or paths of its two upstreams. `scraped`: ours measures each request, and its metrics are
    read every second, as Prometheus does."""
    scraped = False

    def __init__(self, name, folder, upstream, tls=False, wrap=(), connections=10000):
        self.name, self.port, self.connections = name, free_port(), connections
        self.folder = os.path.join(folder, name + ('-tls' if tls else ''))
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.prefix = '/auth' if name == 'mcp-reauth' else '/open'
        self.upstream, self.tls, self.traced = upstream, tls, 'strace' in wrap
        self.target = upstream.tls_port if tls else upstream.port
        command = getattr(self, name.replace('-', '_'))()
        with open(os.path.join(self.folder, 'log'), 'w') as log:
            self.process = subprocess.Popen(pinned(PROXY_CORE, [*wrap, *command]), stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder,
                                            env={**os.environ, 'HOME': self.folder, 'XDG_STATE_HOME': self.folder})
        self.over = threading.Event()
        try:
            wait_for(self.port, self.process, 30)
            if self.scraped and name == 'mcp-reauth':
                threading.Thread(target=self.scrape, daemon=True).start()
        except RuntimeError as e:
            self.stop()
            raise RuntimeError(f'{name}: {e}\n' + open(os.path.join(self.folder, 'log')).read()) from e

    def scrape(self):
        while not self.over.wait(1):
            try:
                with urllib.request.urlopen(f'http://127.0.0.1:{self.metrics}/metrics', timeout=30) as answer:
                    assert b'mcp_reauth_own_duration_seconds_bucket' in answer.read()
            except OSError:
                pass  # it ends, or is slow under a tool

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, 'w') as f:
            f.write(text)
        os.chmod(path, 0o600)
        return path

    def nginx(self):
        d, s = self.folder, 's' if self.tls else ''
        trust = f'proxy_ssl_trusted_certificate {self.upstream.cert}; proxy_ssl_verify on; proxy_ssl_name 127.0.0.1;' if self.tls else ''
        user = 'user root;' if os.geteuid() == 0 else ''
        path = self.write('nginx.conf', f'''daemon off; worker_processes 1; worker_rlimit_nofile 45000; {user} pid {d}/pid; error_log {d}/error crit;
events {{ worker_connections {self.connections}; }}
http {{
  access_log off; client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
  keepalive_requests 1000000000; client_max_body_size 8m; client_body_buffer_size 128k;
  upstream u {{ server 127.0.0.1:{self.target}; keepalive 256; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{self.port} backlog=4096;
    location / {{
      proxy_pass http{s}://u; proxy_http_version 1.1; proxy_set_header Connection ""; {trust}
      proxy_buffering off; proxy_read_timeout 600s;
    }}
  }}
}}
''')
        return ['nginx', '-p', d, '-c', path, '-e', f'{d}/error']

    def haproxy(self):
        tls = f'ssl verify required ca-file {self.upstream.cert}' if self.tls else ''
        path = self.write('haproxy.cfg', f'''global
  nbthread 1
  maxconn 9800
defaults
  mode http
  timeout client 600s
  timeout server 600s
  timeout connect 5s
  option http-no-delay
frontend f
  bind 127.0.0.1:{self.port} backlog 4096
  default_backend b
backend b
  http-reuse always
  server s 127.0.0.1:{self.target} {tls}
''')
        return ['haproxy', '-f', path, '-db']

    def mcp_reauth(self):
        """/auth gets a credential attached, /open goes to an upstream that asks for none."""
        s = 's' if self.tls else ''
        tls = f', tls: {{ca_file: {self.upstream.cert}}}' if self.tls else ''
        token = self.write('token', TOKEN)
        self.metrics = free_port() if self.scraped else 0
        metrics = f'metrics: {{listen: "127.0.0.1:{self.metrics}"}}\n' if self.scraped else ''
        path = self.write('config.yaml', f'''listen: 127.0.0.1:{self.port}
workers: 1
{metrics}approval: {{listen: "127.0.0.1:{free_port()}"}}
vault: {{backend: memory}}
log: {{level: warn}}
upstreams:
  auth: {{url: "http{s}://127.0.0.1:{self.target}/auth", grant: static, token: {{file: "{token}"}}{tls}}}
  open: {{url: "http{s}://127.0.0.1:{self.target}/open"{tls}}}
''')
        return [BINARY, 'serve', '--config', path]

    def node(self):
        return ['node', self.write('proxy.mjs', NODE % (self.target, self.port))]

    def stop(self):
        self.over.set()
        # strace would leave on a SIGTERM of its own and let the proxy live
        if self.traced:
            for child in tree(self.process.pid)[1:2]:
                os.kill(child, signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                for child in tree(self.process.pid)[1:]:
                    os.kill(child, signal.SIGKILL)
        end(self.process)
