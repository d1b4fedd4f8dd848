// Drives a flow with scripted answers, records what it asks, and replays it with a fault at every step.
#pragma once

#include "policy/flows/flow.hpp"
#include "policy/flows/flow_environment.hpp"

#include "tests/support/catch.hpp"

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace reauth::test {

inline const time_point noon = time_point(std::chrono::seconds(1'800'000'000));

/// Every secret that a script hands out holds this word; no message may.
inline constexpr const char* marker = "s3cr3t";

inline http_response answer(unsigned status, std::string body, std::vector<header_field> headers = {}) {
    http_response r;
    r.status = status;
    r.body = std::move(body);
    r.headers = std::move(headers);
    return r;
}

inline failure no_answer() {
    failure f;
    f.code = fault::authorization_server_unavailable;
    f.message = "connection refused";
    f.transient = true;
    return f;
}

/// The other end: answers by URL, in order; the last answer for a URL stays. What is not scripted is 404.
class flow_script {
public:
    flow_script& on(std::string url, result<http_response> r) {
        for (auto& [known, queue] : answers_)
            if (known == url) {
                queue.push_back(std::move(r));
                return *this;
            }
        answers_.push_back({std::move(url), {std::move(r)}});
        return *this;
    }
    flow_script& on(std::string url, unsigned status, std::string body,
                    std::vector<header_field> headers = {}) {
        return on(std::move(url), result<http_response>(answer(status, std::move(body), std::move(headers))));
    }

    /// Stands between script and flow: may replace the answer to request number `step` (from 0).
    std::function<void(std::size_t step, const http_request&, result<http_response>&)> tamper;
    std::vector<http_request> requests;
    std::vector<std::string> purposes;
    std::vector<std::chrono::milliseconds> pauses;

    template<class T>
    T run(flow<T> f) {
        f.start();
        while (!f.done()) {
            REQUIRE(requests.size() < 100);
            if (auto* rest = std::get_if<pause>(&f.wanted())) {
                pauses.push_back(rest->duration);
                f.resume();
                continue;
            }
            auto asked = std::move(std::get<fetch>(f.wanted()));
            auto r = next(asked.request.url);
            if (tamper)
                tamper(requests.size(), asked.request, r);
            requests.push_back(std::move(asked.request));
            purposes.emplace_back(asked.purpose);
            f.resume(std::move(r));
        }
        return f.value();
    }

    /// The body of a request (by default the last) as the server would read it.
    std::string body(std::size_t i) const { return std::string(requests.at(i).body.reveal()); }
    std::string body() const { return body(requests.size() - 1); }
    std::vector<std::string> urls() const {
        std::vector<std::string> out;
        for (const auto& r : requests)
            out.push_back(r.url);
        return out;
    }

private:
    result<http_response> next(const std::string& url) {
        for (auto& [known, queue] : answers_)
            if (known == url) {
                auto r = queue.front();
                if (queue.size() > 1)
                    queue.pop_front();
                return r;
            }
        return answer(404, "not found");
    }

    std::vector<std::pair<std::string, std::deque<result<http_response>>>> answers_;
};

/// A clock that stands still and randomness that counts.
struct fixed_world {
    time_point time = noon;
    unsigned drawn = 0;
    flow_environment env{[this] { return time; },
                         [this](std::size_t n) {
                             std::string bytes(n, '\0');
                             for (auto& b : bytes)
                                 b = static_cast<char>(drawn * 7 + 13);
                             ++drawn;
                             return bytes;
                         }};
    fixed_world() = default;
    fixed_world(const fixed_world&) = delete;
    fixed_world& operator=(const fixed_world&) = delete;
};

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

inline std::optional<std::string> header_of(const http_request& request, std::string_view name) {
    for (const auto& h : request.headers)
        if (h.name == name)
            return h.value;
    return std::nullopt;
}

/// A failure that one may show: a known code, a sentence, no secret.
inline void require_sane(const failure& f) {
    INFO(f.describe());
    CHECK(f.code != fault::internal);
    CHECK_FALSE(f.message.empty());
    CHECK(f.message.size() < 1000);
    CHECK_FALSE(contains(f.describe(), marker));
    CHECK_FALSE(contains(f.oauth_error, marker));
}

/// Runs `play` (which drives a flow over the given script and tells its failure, if any) once as it is, then
/// once for every request it made and every kind of trouble, at that request only and from it on. It must end
/// sanely each time, and may only succeed where `may_recover(step)` says so.
inline void fail_at_every_step(const std::function<std::optional<failure>(flow_script&)>& play,
                               const std::function<bool(std::size_t)>& may_recover) {
    flow_script golden;
    const auto went_wrong = play(golden);
    if (went_wrong)
        FAIL("the golden run failed: " << went_wrong->describe());
    const auto steps = golden.requests.size();
    REQUIRE(steps > 0);
    failure egress;
    egress.code = fault::egress_refused;
    egress.message = "the address is not allowed";
    const std::vector<std::pair<std::string, result<http_response>>> troubles{
        {"no answer", no_answer()},
        {"egress refused", egress},
        {"500", answer(500, "<html>s3cr3t</html>")},
        {"503 for an hour", answer(503, "", {{"Retry-After", "3600"}})},
        {"429", answer(429, "")},
        {"empty 200", answer(200, "")},
        {"HTML", answer(200, "<html>s3cr3t</html>")},
        {"JSON of another kind", answer(200, "[1,2]")},
        {"wrong types",
         answer(200, R"({"issuer":1,"resource":[],"access_token":{},"client_id":false,"error":7})")},
        {"OAuth error", answer(400, R"({"error":"invalid_request"})")},
        {"forbidden", answer(403, "{}")},
    };
    for (std::size_t step = 0; step < steps; ++step) {
        for (const auto& [name, trouble] : troubles) {
            for (const bool lasting : {false, true}) {
                INFO("step " << step << " (" << golden.requests[step].url << "): " << name
                             << (lasting ? ", lasting" : ""));
                flow_script script;
                const auto bad = trouble;
                script.tamper = [&, at = step](std::size_t i, const http_request&, result<http_response>& r) {
                    if (i == at || (lasting && i > at))
                        r = bad;
                };
                const auto outcome = play(script);
                if (outcome)
                    require_sane(*outcome);
                else if (lasting)
                    CHECK(may_recover(step));
            }
        }
    }
}

/// Destroys the flow at every suspension: what it holds must go with it (the sanitizers watch).
template<class T>
void abandon_at_every_step(const std::function<flow<T>()>& make,
                           const std::function<void(flow_script&)>& prepare) {
    for (std::size_t stop = 0; stop < 8; ++stop) {
        flow_script script;
        prepare(script);
        std::size_t seen = 0;
        auto f = make();
        f.start();
        while (!f.done() && seen++ < stop) {
            if (std::holds_alternative<pause>(f.wanted()))
                f.resume();
            else
                f.resume(result<http_response>(answer(404, "")));
        }
    }
    SUCCEED();
}

} // namespace reauth::test
