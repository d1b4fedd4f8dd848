// /metrics as Prometheus reads it.
#include "proxy/service/metrics.hpp"

#include <catch2/catch.hpp>

using namespace reauth;

TEST_CASE("numbers are told in Prometheus' text format, with their kind, large ones in full") {
    CHECK(
        metrics_text({{"a_total", "What is counted", 12345678901.0, false}, {"b", "What is now", 0, true}}) ==
        "# HELP a_total What is counted\n# TYPE a_total counter\na_total 12345678901\n"
        "# HELP b What is now\n# TYPE b gauge\nb 0\n");
    CHECK(metrics_text({}).empty());
}
