"""Figures of all rounds as docs/benchmarks.md."""
from statistics import median

from .machine import LOAD_CORE, PROXY_CORE, machine_name

NAMES = ('nginx', 'haproxy', 'mcp-reauth')


def ratio(values, base):
    """Median ratio of the rounds, with its spread."""
    each = [v / b for v, b in zip(values, base) if b]
    return f'{median(each):.2f} ({min(each):.2f}-{max(each):.2f})' if each else '-'


def column(rows, phase, name, what):
    return [r[what] for r in rows.get((phase, name), [])]


def table(rows, title, phases, label):
    lines = [f'## {title}', '', f'| {label} | proxy | CPU-µs | CPU ratio to nginx | requests/s | p50 µs | p99 µs | p99 ratio |', '|---|---|---|---|---|---|---|---|']
    for phase, shown in phases:
        for name in dict.fromkeys(n for p, n in rows if p == phase):
            got = {w: column(rows, phase, name, w) for w in ('cpu_us', 'rate', 'p50_us', 'p99_us')}
            base = {w: column(rows, phase, 'nginx', w) for w in got}
            lines.append(f'| {shown} | {name} | {median(got["cpu_us"]):.1f} | {ratio(got["cpu_us"], base["cpu_us"])} | {median(got["rate"]):.0f} | '
                         f'{median(got["p50_us"]):.0f} | {median(got["p99_us"]):.0f} | {ratio(got["p99_us"], base["p99_us"])} |')
    return lines + ['']


def streams(rows):
    lines = ['## Event streams', '', '| proxy | CPU-µs/event | ratio to nginx | p50 µs from upstream to client | p99 µs | bytes of memory per idle stream |',
             '|---|---|---|---|---|---|']
    for name in dict.fromkeys(n for p, n in rows if p == 'events'):
        cpu, base = column(rows, 'events', name, 'cpu_us'), column(rows, 'events', 'nginx', 'cpu_us')
        idle = column(rows, 'idle', name, 'bytes') or [float('nan')]
        lines.append(f'| {name} | {median(cpu):.1f} | {ratio(cpu, base)} | {median(column(rows, "events", name, "p50_us")):.0f} | '
                     f'{median(column(rows, "events", name, "p99_us")):.0f} | {median(idle):.0f} |')
    return lines + ['']


def paced(rows):
    lines = ['## Latency at the same rate', '', 'As many requests a second as every proxy can bear: what a saturated load generator adds is not in it.', '',
             '| connections | proxy | p50 µs | p99 µs | p99 ratio to nginx |', '|---|---|---|---|---|']
    for connections in (1, 16, 64, 256):
        for name in dict.fromkeys(n for p, n in rows if p == f'paced{connections}'):
            p50, p99, base = (column(rows, f'paced{connections}', n, w) for n, w in ((name, 'p50_us'), (name, 'p99_us'), ('nginx', 'p99_us')))
            lines.append(f'| {connections} | {name} | {median(p50):.0f} | {median(p99):.0f} | {ratio(p99, base)} |')
    return lines + ['']


def crowd(rows):
    lines = ['## Requests beside idle streams', '', '| proxy | CPU-µs a request | p99 µs | bytes of memory per stream, under load |', '|---|---|---|---|']
    for name in dict.fromkeys(n for p, n in rows if p == 'crowd'):
        lines.append('| ' + name + ' | ' + ' | '.join(f'{median(column(rows, "crowd", name, w)):.{d}f}' for w, d in (('cpu_us', 1), ('p99_us', 0), ('bytes', 0))) + ' |')
    return lines + ['']


def memory(rows):
    lines = ['## Memory, MiB resident', '', '| proxy | after the start | most, under plain load | most, with TLS to the upstream |', '|---|---|---|---|']
    for name in dict.fromkeys(n for p, n in rows if p == 'memory'):
        lines.append('| ' + ' | '.join([name] + [f'{median(column(rows, "memory", name, w)):.1f}' for w in ('idle', 'peak', 'tls_peak')]) + ' |')
    return lines + ['']


def gates(rows):
    """(what, measured, most, reached) of the targets that this run can judge."""
    out = []

    def against(what, phase, key, most, better_of=('nginx',)):
        ours = column(rows, phase, 'mcp-reauth', key)
        if ours:
            value = max(median(o / b for o, b in zip(ours, column(rows, phase, n, key)) if b) for n in better_of if column(rows, phase, n, key))
            out.append((what, value, most, value <= most))

    for connections, most in ((1, 0.88), (16, 0.84), (64, 0.84), (256, 0.84)):
        against(f'CPU to the better of nginx and HAProxy, {connections} connections', f'c{connections}', 'cpu_us', most, ('nginx', 'haproxy'))
    for connections in (1, 16, 64, 256):
        against(f'p99 to nginx at the same rate, {connections} connections', f'paced{connections}', 'p99_us', 1.0)
    against('p99 to nginx, each as fast as it can, 64 connections', 'c64', 'p99_us', 1.0)
    against('CPU with TLS upstream to nginx', 'tls64', 'cpu_us', 0.95)
    against('CPU of a 100 KiB request to nginx', 'b100k', 'cpu_us', 0.45)
    against('CPU of a 64 KiB answer to nginx', 'a64k', 'cpu_us', 0.31)
    against('CPU per event to nginx', 'events', 'cpu_us', 1.0)
    against('event delay p50 to nginx', 'events', 'p50_us', 1.0)
    for what, phase, key, most in (('bytes per idle stream', 'idle', 'bytes', 4096), ('MiB after the start', 'memory', 'idle', 10),
                                   ('MiB at most under plain load', 'memory', 'peak', 15), ('MiB at most with TLS', 'memory', 'tls_peak', 15)):
        ours = column(rows, phase, 'mcp-reauth', key)
        if ours:
            out.append((what, median(ours), most, median(ours) <= most))
    return out


def render(rows, rounds, seconds, more):
    lines = ['# Benchmarks', '', f'{machine_name()}. Each proxy has one worker on core {PROXY_CORE}; load and upstream share core {LOAD_CORE}; everything on '
             f'loopback. {rounds} interleaved rounds, {seconds} s a figure. A request is a 200-byte POST, its answer 300 bytes of JSON, over connections that stay '
             'open. mcp-reauth attaches a credential to each; nginx and HAProxy only pass requests on (`proxy_buffering off`; `http-no-delay`). '
             'Absolute times depend on the machine and its hour; ratios are to nginx of the same round: median (lowest-highest).', '',
             'Repeat with `./dev bench`; `./dev bench --quick` takes a minute and writes nothing here.', '']
    lines += table(rows, 'Requests', [(f'c{c}', c) for c in (1, 16, 64, 256)], 'connections')
    lines += paced(rows)
    lines += table(rows, 'TLS to the upstream', [('tls64', 64)], 'connections')
    if any(p == 'a64k' for p, _ in rows):
        lines += table(rows, 'Large bodies, 16 connections', [('a64k', '64 KiB answer'), ('a1m', '1 MiB answer'), ('b100k', '100 KiB request')], 'body')
    if any(p == 'events' for p, _ in rows):
        lines += streams(rows)
    if any(p == 'crowd' for p, _ in rows):
        lines += crowd(rows)
    lines += memory(rows)
    lines += ['## Targets', '', '| target | measured | at most | |', '|---|---|---|---|']
    lines += [f'| {what} | {value:.2f} | {most} | {"reached" if good else "not reached"} |' for what, value, most, good in gates(rows)]
    return '\n'.join(lines + [''] + more) + '\n'
