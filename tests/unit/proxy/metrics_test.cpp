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

TEST_CASE("numbers of one name are told apart by labels, whose values are escaped") {
    CHECK(metrics_text({{"r_total", "Replays", 1, false, {{"upstream", "a"}, {"outcome", "ok"}}},
                        {"r_total", "Replays", 2, false, {{"upstream", "q\"\\\n"}}}}) ==
          "# HELP r_total Replays\n# TYPE r_total counter\n"
          "r_total{upstream=\"a\",outcome=\"ok\"} 1\n"
          "r_total{upstream=\"q\\\"\\\\\\n\"} 2\n");
}
