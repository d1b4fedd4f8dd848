// HTTP dates, and how long a server asks to wait.
#include "core/http/http_date.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;
using namespace std::chrono_literals;

namespace {

const auto at_noon = time_point(std::chrono::seconds(1'792'584'000)); // Wed, 21 Oct 2026 12:00:00 GMT

http_response refusal(std::vector<header_field> headers) {
    http_response r;
    r.status = 429;
    r.headers = std::move(headers);
    return r;
}

} // namespace

TEST_CASE("http date: the three forms of RFC 9110, and those of cookies") {
    for (const auto* text : {"Wed, 21 Oct 2026 12:00:00 GMT", "Wednesday, 21-Oct-26 12:00:00 GMT",
                             "Wed Oct 21 12:00:00 2026", "Wed, 21-Oct-2026 12:00:00 GMT"})
        CHECK(parse_http_date(text) == at_noon);
    CHECK_FALSE(parse_http_date("soon"));
    CHECK_FALSE(parse_http_date(""));
}

TEST_CASE("Retry-After: seconds, and a date by the server's own clock") {
    CHECK(retry_after(refusal({{"Retry-After", "30"}})) == 30s);
    CHECK(retry_after(refusal({{"Retry-After", " 30 "}})) == 30s);
    CHECK(retry_after(refusal({{"Retry-After", "99999999999999999999"}})) == 24h);
    const std::string later = "Wed, 21 Oct 2026 12:00:40 GMT";
    CHECK(retry_after(refusal({{"Retry-After", later}, {"Date", "Wed, 21 Oct 2026 12:00:00 GMT"}}),
                      at_noon - 1h) == 40s);
    CHECK(retry_after(refusal({{"Retry-After", later}}), at_noon) == 40s);
    CHECK(retry_after(refusal({{"Retry-After", later}}), at_noon + 1h) == 0s);
    CHECK_FALSE(retry_after(refusal({{"Retry-After", later}})));
    CHECK_FALSE(retry_after(refusal({{"Retry-After", "-1"}}), at_noon));
    CHECK_FALSE(retry_after(refusal({{"Retry-After", "soon"}}), at_noon));
    CHECK_FALSE(retry_after(refusal({}), at_noon));
}
