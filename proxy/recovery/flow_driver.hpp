// Drives a sans-IO flow with the real network and the real clock.
#pragma once

#include "policy/flows/flow.hpp"
#include "proxy/recovery/fetcher.hpp"

#include <functional>

namespace reauth {

/// For flows that talk to more than one party: how a URL is fetched.
using options_by_url = std::function<fetch_options(const std::string& url)>;

/// Tells of one exchange, once it is over.
class exchange_notice {
public:
    exchange_notice(const std::function<void(const exchange_seen&)>& seen, const http_request& request,
                    std::string_view purpose)
        : seen_(seen) {
        if (!seen_)
            return;
        method_ = request.method;
        url_ = request.url;
        purpose_ = purpose;
        sent_ = request.body.reveal().size();
    }
    void ended(const result<http_response>& answer) const {
        if (!seen_)
            return;
        exchange_seen what{method_, url_, purpose_};
        what.sent = sent_;
        what.took = std::chrono::steady_clock::now() - began_;
        if (answer) {
            what.status = answer->status;
            what.received = answer->body.size();
            seen_(what);
            return;
        }
        const auto why = answer.error();
        what.why = &why;
        seen_(what);
    }

private:
    std::function<void(const exchange_seen&)> seen_;
    std::string method_, url_, purpose_;
    std::size_t sent_ = 0;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

/// Performs every effect of `f` until it ends.
template<class T>
task<T> drive_by_url(executor ex, fetcher& network, options_by_url options_for, flow<T> f) {
    f.start();
    while (!f.done()) {
        if (auto* wanted = std::get_if<fetch>(&f.wanted())) {
            auto request = std::move(wanted->request);
            auto options = options_for(request.url);
            const exchange_notice notice(options.seen, request, wanted->purpose);
            auto answer = co_await network.fetch(std::move(request), options);
            notice.ended(answer);
            f.resume(std::move(answer));
        } else if (auto* rest = std::get_if<pause>(&f.wanted())) {
            loop_timer timer(ex, rest->duration);
            error_code ec;
            auto token = asio::redirect_error(use_task, ec);
            co_await timer.async_wait(token);
            f.resume();
        }
    }
    co_return f.value();
}

/// The same for a flow that talks to one party.
template<class T>
task<T> drive(executor ex, fetcher& network, fetch_options options, flow<T> f) {
    options_by_url always = [options = std::move(options)](const std::string&) { return options; };
    co_return co_await drive_by_url(ex, network, std::move(always), std::move(f));
}

} // namespace reauth
