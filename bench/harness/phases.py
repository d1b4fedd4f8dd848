"""What is measured of one proxy in one round."""
import contextlib
import os
import re
import subprocess
import time

from .machine import BUILD, LOAD_CORE, cpu_seconds, load, memory_kib, pinned

UNITS = {'us': 1.0, 'ms': 1e3, 's': 1e6, 'm': 60e6}


def post_script(folder, body):
    path = os.path.join(folder, f'post-{body}.lua')
    with open(path, 'w') as f:
        f.write('wrk.method = "POST"\n'
                f'wrk.body = \'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"text":"\' .. string.rep("x", {body - 68}) .. \'"}}}}\'\n'
                'wrk.headers["Content-Type"] = "application/json"\nwrk.headers["Accept"] = "application/json, text/event-stream"\n'
                'wrk.headers["User-Agent"] = "node"\nwrk.headers["MCP-Protocol-Version"] = "2025-06-18"\n')
    return path


def closed_loop(proxy, folder, connections, seconds, path='/mcp', body=200):
    """wrk at full speed: CPU-µs a request, requests/s, p50 and p99 in µs."""
    wrk = ['wrk', '-t1', f'-c{connections}', f'-d{seconds}s', '--latency', '--timeout', '5s', '-s', post_script(folder, body),
           f'http://127.0.0.1:{proxy.port}{proxy.prefix}{path}']
    before = cpu_seconds(proxy.process.pid)
    out = subprocess.run(pinned(LOAD_CORE, wrk), capture_output=True, text=True, check=True, timeout=seconds + 30).stdout
    used = cpu_seconds(proxy.process.pid) - before
    if 'Non-2xx' in out or 'Socket errors' in out:
        raise RuntimeError(f'{proxy.name}: errors under load\n{out}')
    count, took, unit = re.search(r'(\d+) requests in ([\d.]+)(us|ms|s|m)', out).groups()
    at = {p: float(n) * UNITS[u] for p, n, u in re.findall(r'(50|99)%\s+([\d.]+)(us|ms|s)', out)}
    return {'cpu_us': used / int(count) * 1e6, 'rate': int(count) / (float(took) * UNITS[unit] / 1e6), 'p50_us': at['50'], 'p99_us': at['99']}


def paced(proxy, connections, seconds, rate):
    """The same number of requests a second to every proxy, fewer than any of them can bear: p50 and p99 in µs."""
    path = proxy.prefix + '/mcp'
    load('requests', proxy.port, path, connections, rate // 2, 200, rate)
    out = load('requests', proxy.port, path, connections, int(rate * seconds), 200, rate)
    return {'p50_us': out['p50_us'], 'p99_us': out['p99_us']}


def among_idle(proxy, folder, streams, seconds):
    """Requests while so many streams are open and say nothing: as closed_loop, and the bytes of a stream."""
    before = memory_kib(proxy.process.pid, 'VmRSS')
    with held(proxy, streams):
        figures = closed_loop(proxy, folder, 64, seconds)
        figures['bytes'] = (memory_kib(proxy.process.pid, 'VmRSS') - before) * 1024 / streams
    return figures


def events(proxy, streams, seconds):
    """Event streams of 100 events a second each: delay of an event from the upstream to the client, CPU-µs an event."""
    before = cpu_seconds(proxy.process.pid)
    out = load('events', proxy.port, proxy.prefix + '/events', streams, seconds, seconds=seconds + 30)
    used = cpu_seconds(proxy.process.pid) - before
    # the generator warms up for one second that it does not count
    all_events = max(1.0, out['events'] * (seconds + 1) / seconds)
    return {'cpu_us': used / all_events * 1e6, 'p50_us': out['p50_us'], 'p99_us': out['p99_us']}


@contextlib.contextmanager
def held(proxy, streams):
    """So many event streams that are open and say nothing."""
    hold = subprocess.Popen(pinned(LOAD_CORE, [os.path.join(BUILD, 'bench_load'), 'hold', str(proxy.port), proxy.prefix + '/idle', str(streams)]),
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if hold.stdout.readline().strip() != 'ready':
            raise RuntimeError(f'{proxy.name}: not all idle streams came')
        time.sleep(0.5)
        yield
    finally:
        hold.stdin.close()
        hold.wait(30)


def idle_streams(proxy, streams):
    """Bytes of resident memory a stream that is open and says nothing."""
    before = memory_kib(proxy.process.pid, 'VmRSS')
    with held(proxy, streams):
        return {'bytes': (memory_kib(proxy.process.pid, 'VmRSS') - before) * 1024 / streams}
