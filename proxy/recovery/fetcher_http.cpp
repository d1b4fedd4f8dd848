// Trouble with a server, as recovery calls it.
#include "proxy/recovery/fetcher_http.hpp"

namespace reauth {
namespace {

failure as_recovery_calls_it(failure why) {
    if (why.code == fault::upstream_unreachable || why.code == fault::upstream_timeout ||
        why.code == fault::upstream_malformed)
        why.code = fault::authorization_server_unavailable;
    return why;
}

} // namespace

task<result<http_response>> http_fetcher::fetch(http_request request, fetch_options options) {
    auto answer = co_await client_.fetch(std::move(request), std::move(options));
    if (!answer)
        co_return as_recovery_calls_it(answer.error());
    co_return answer;
}

task<result<void>> http_fetcher::may_reach(std::string url, fetch_options options) {
    auto work = client_.may_reach(std::move(url), std::move(options));
    co_return co_await std::move(work);
}

} // namespace reauth
