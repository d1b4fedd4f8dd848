// One export at a time; a second after the first span, or at once where there are many.
#include "proxy/evidence/trace_exporter.hpp"

#include "proxy/log/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace reauth {
namespace {

constexpr std::chrono::seconds gather{1}, patience{10};
constexpr std::size_t most_told = 2000;
constexpr unsigned most_tries = 3;

} // namespace

trace_exporter::trace_exporter(executor ex, trace_config settings, const std::string& process,
                               std::string version)
    : ex_(ex), settings_(std::move(settings)), version_(std::move(version)),
      resource_{
          {"service.name", "mcp-reauth"}, {"service.version", version_}, {"service.instance.id", process}},
      client_(ex, std::nullopt), timer_(ex) {}

void trace_exporter::add(span s) {
    if (stopped_ || queue_.size() >= most_waiting) {
        ++counters_.dropped;
        return;
    }
    queue_.push_back(std::move(s));
    if (queue_.size() >= most_at_once)
        begin_sending();
    else
        flush_soon();
}

void trace_exporter::add(const timeline& t) {
    auto& told = told_[t.id];
    if (told >= t.steps.size() && told > 0)
        return;
    for (auto& s : spans_of(t, told))
        add(std::move(s));
    told = t.steps.size();
    if (told_.size() > most_told)
        told_.erase(told_.begin());
}

void trace_exporter::flush_soon() {
    if (armed_ || sending_)
        return;
    armed_ = true;
    timer_.expires_after(gather);
    timer_.async_wait([self = shared_from_this()](error_code ec) {
        self->armed_ = false;
        if (!ec)
            self->begin_sending();
    });
}

void trace_exporter::begin_sending() {
    if (!queue_.empty() && !std::exchange(sending_, true))
        asio::co_spawn(ex_, send(shared_from_this()), asio::detached);
}

void trace_exporter::stop() {
    begin_sending();
    stopped_ = true;
    timer_.cancel();
}

http_request trace_exporter::request_for(const std::vector<span>& batch) const {
    http_request r;
    r.method = "POST";
    r.url = settings_.otlp.ends_with("/v1/traces") ? settings_.otlp : settings_.otlp + "/v1/traces";
    r.headers.push_back({"Content-Type", "application/json"});
    for (const auto& [name, value] : settings_.headers)
        r.headers.push_back({name, std::string(value.reveal())});
    r.body = secret(otlp_json(batch, resource_, version_));
    return r;
}

task<void> trace_exporter::send(std::shared_ptr<trace_exporter> self) {
    auto& me = *self;
    while (!me.queue_.empty()) {
        std::vector<span> batch;
        while (!me.queue_.empty() && batch.size() < most_at_once) {
            batch.push_back(std::move(me.queue_.front()));
            me.queue_.pop_front();
        }
        me.in_flight_ = batch.size();
        bool taken = false;
        for (unsigned tries = 0; !taken && tries < (me.stopped_ ? 1 : most_tries); ++tries) {
            if (tries > 0) {
                loop_timer rest(me.ex_, gather * tries);
                error_code ec;
                auto token = asio::redirect_error(use_task, ec);
                co_await rest.async_wait(token);
            }
            http_options options;
            options.timeout = patience;
            options.ca_file = me.settings_.ca_file;
            options.http = plain_http::allowed;
            auto request = me.request_for(batch);
            const auto answer = co_await me.client_.fetch(std::move(request), std::move(options));
            taken = answer && answer->status < 300;
            const bool later = !answer || answer->status == 429 || answer->status >= 500;
            me.counters_.failures += taken ? 0 : 1;
            if (!taken && !std::exchange(me.failing_, true))
                log_event(log_level::warn, "traces are not taken",
                          {{"collector", me.settings_.otlp},
                           {"message", answer ? "it answers " + std::to_string(answer->status)
                                              : answer.error().describe()}});
            if (!later)
                break;
        }
        me.failing_ = me.failing_ && !taken;
        (taken ? me.counters_.sent : me.counters_.dropped) += batch.size();
        me.in_flight_ = 0;
    }
    me.sending_ = false;
}

} // namespace reauth
