// /metrics as Prometheus reads it.
#include "proxy/service/metrics.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;

TEST_CASE("numbers are told in Prometheus' text format, with their kind, large ones in full") {
    CHECK(
        metrics_text({{"a_total", "What is counted", 12345678901.0, false}, {"b", "What is now", 0, true}}) ==
        "# HELP a_total What is counted\n# TYPE a_total counter\na_total 12345678901\n"
        "# HELP b What is now\n# TYPE b gauge\nb 0\n");
    CHECK(metrics_text({}).empty());
}

TEST_CASE("a histogram is one family, with its bounds, its sum and its count") {
    CHECK(metrics_text({{"t_seconds", "Time", 1, false, {{"le", "0.5"}}, "_bucket", true},
                        {"t_seconds", "Time", 2, false, {{"le", "+Inf"}}, "_bucket", true},
                        {"t_seconds", "Time", 3.5, false, {}, "_sum", true},
                        {"t_seconds", "Time", 2, false, {}, "_count", true}}) ==
          "# HELP t_seconds Time\n# TYPE t_seconds histogram\n"
          "t_seconds_bucket{le=\"0.5\"} 1\nt_seconds_bucket{le=\"+Inf\"} 2\nt_seconds_sum "
          "3.5\nt_seconds_count 2\n");
}

TEST_CASE("series are bounded, whatever labels come: the rest is `other`") {
    recovery_stats stats;
    for (int i = 0; i < 5000; ++i)
        stats.recoveries.add({"up" + std::to_string(i), "g", "h", "ok"});
    CHECK(stats.recoveries.all().size() == recovery_stats::most_series + 1);
    CHECK(stats.recoveries.all().at({"other", "other", "other", "other"}) ==
          5000 - recovery_stats::most_series);
    for (int i = 0; i < 5000; ++i)
        stats.person_time.add({"up" + std::to_string(i)}, std::chrono::milliseconds(1));
    CHECK(stats.person_time.all().size() <= recovery_stats::most_series);
}

TEST_CASE("numbers of one name are told apart by labels, whose values are escaped") {
    CHECK(metrics_text({{"r_total", "Replays", 1, false, {{"upstream", "a"}, {"outcome", "ok"}}},
                        {"r_total", "Replays", 2, false, {{"upstream", "q\"\\\n"}}}}) ==
          "# HELP r_total Replays\n# TYPE r_total counter\n"
          "r_total{upstream=\"a\",outcome=\"ok\"} 1\n"
          "r_total{upstream=\"q\\\"\\\\\\n\"} 2\n");
}
