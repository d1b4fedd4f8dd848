"""Processes on pinned cores: started, watched through /proc, ended by their id."""
import json
import os
import platform
import re
import signal
import socket
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get('REAUTH_BENCH_BUILD', os.path.join(ROOT, 'build/release/bench'))
BINARY = os.environ.get('REAUTH_BENCH_BINARY', os.path.join(ROOT, 'build/release/mcp-reauth'))
PROXY_CORE, LOAD_CORE = '0', str(min(1, (os.cpu_count() or 1) - 1))
os.environ['PATH'] += ':/usr/sbin:/sbin'


_given = set()


def free_port():
    """A port that nobody listens on, and that this run was not given before: the kernel may offer one again once it is released."""
    for _ in range(1000):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            port = s.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port
    raise RuntimeError('no free port in 1,000 tries')


def wait_for(port, process=None, seconds=10):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket() as s:
            if s.connect_ex(('127.0.0.1', port)) == 0:
                return
        if process and process.poll() is not None:
            break
        time.sleep(0.02)
    raise RuntimeError(f'nothing listens on port {port}')


def end(process, seconds=15):
    """SIGTERM, and SIGKILL to what does not listen."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def tree(pid):
    """The process and its children: nginx works in a child."""
    try:
        with open(f'/proc/{pid}/task/{pid}/children') as f:
            return [pid] + [p for child in f.read().split() for p in tree(int(child))]
    except OSError:
        return []


def cpu_seconds(pid):
    """Time on a core, user and system, of the whole tree, to the nanosecond where the kernel counts them."""
    total = 0.0
    for p in tree(pid):
        try:
            for task in os.listdir(f'/proc/{p}/task'):
                with open(f'/proc/{p}/task/{task}/schedstat') as f:
                    total += int(f.read().split()[0]) / 1e9
        except (OSError, IndexError):
            with open(f'/proc/{p}/stat') as f:
                total += sum(map(int, f.read().rsplit(')', 1)[1].split()[11:13])) / os.sysconf('SC_CLK_TCK')
    return total


def memory_kib(pid, what):
    """VmRSS or VmHWM of the process of the tree that has most of it."""
    found = [0]
    for p in tree(pid):
        with open(f'/proc/{p}/status') as f:
            found += [int(n) for n in re.findall(what + r':\s+(\d+)', f.read())]
    return max(found)


def machine_name():
    cpu = re.search(r'model name\s*:\s*(.*)', open('/proc/cpuinfo').read())
    return f'{cpu.group(1) if cpu else platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}'


def pinned(core, command):
    return ['taskset', '-c', core, *command]


def certificate(folder):
    """A certificate for 127.0.0.1 that signs itself; (cert, key)."""
    cert, key = os.path.join(folder, 'cert.pem'), os.path.join(folder, 'key.pem')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj',
                    '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert], check=True, capture_output=True)
    return cert, key


class Upstream:
    """bench_upstream; ends when our end of its standard input closes."""

    def __init__(self, folder):
        self.port, self.tls_port = free_port(), free_port()
        self.cert, key = certificate(folder)
        command = [os.path.join(BUILD, 'bench_upstream'), str(self.port), str(self.tls_port), self.cert, key]
        self.process = subprocess.Popen(pinned(LOAD_CORE, command), stdin=subprocess.PIPE)
        wait_for(self.port, self.process)

    def stop(self):
        end(self.process)


def load(verb, port, path, *more, core=LOAD_CORE, seconds=300):
    """Runs bench_load to its end; what it printed."""
    command = [os.path.join(BUILD, 'bench_load'), verb, str(port), path, *map(str, more)]
    done = subprocess.run(pinned(core, command), capture_output=True, text=True, timeout=seconds)
    if done.returncode:
        raise RuntimeError(done.stderr)
    answer = json.loads(done.stdout)
    if answer.get('errors'):
        raise RuntimeError(f'errors under load of port {port}{path}: {answer}\n{done.stderr}')
    return answer
