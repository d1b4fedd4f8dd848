"""What the benchmarks share: processes on pinned cores, the proxies' configurations, the report."""
