// Socket pairs: one end is the data path's, the other speaks HTTP here.
#include "proxy/bridge/upstream_link.hpp"

#include "core/http/content_coding.hpp"
#include "core/mcp/sse.hpp"

#include <cerrno>

#include <sys/socket.h>
#include <unistd.h>

namespace reauth {
namespace {

void set_target(http_url& url, const std::string& target) {
    const auto mark = target.find('?');
    url.has_query = mark != std::string::npos;
    url.query = url.has_query ? target.substr(mark + 1) : std::string();
    url.path = target.substr(0, mark);
}

} // namespace

upstream_link::upstream_link(executor ex, connector connect, std::string target,
                             std::vector<header_field> with)
    : ex_(ex), connect_(std::move(connect)), with_(std::move(with)) {
    url_.scheme = "http";
    url_.host = "localhost";
    url_.port = 80;
    set_target(url_, target);
}

std::shared_ptr<client_run> upstream_link::begin() const {
    return std::make_shared<client_run>(ex_, no_deadline);
}

/// One that was kept and is not closed (a look is enough: the data path ends none of this process for being
/// idle), or a new one.
result<std::shared_ptr<client_socket>> upstream_link::connection() {
    while (!idle_.empty()) {
        auto kept = std::move(idle_.back());
        idle_.pop_back();
        char byte = 0;
        if (::recv(kept->native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN)
            return kept;
    }
    const auto descriptor = connect_();
    if (!descriptor)
        return descriptor.error();
    auto made = std::make_shared<client_socket>(ex_);
    error_code failed;
    made->assign(asio::generic::stream_protocol(AF_UNIX, 0), *descriptor, failed);
    if (!failed)
        return made;
    ::close(*descriptor);
    return unreachable_failure("no way to the proxy itself: " + failed.message());
}

void upstream_link::give_back(std::unique_ptr<http_stream> answer) {
    auto connection = answer ? answer->reuse() : nullptr;
    if (connection && idle_.size() < most_idle)
        idle_.push_back(std::move(connection));
}

task<result<std::unique_ptr<http_stream>>> upstream_link::open(std::shared_ptr<client_run> run,
                                                               http_request request, std::string target) {
    auto sound = check_request(request);
    if (!sound)
        co_return sound.error();
    auto way = connection();
    if (!way)
        co_return way.error();
    run->socket = std::move(*way);
    run->keep = true;
    auto url = url_;
    if (!target.empty())
        set_target(url, target);
    for (const auto& field : with_)
        request.headers.push_back(field);
    co_return co_await begin_exchange(std::move(run), std::move(request), std::move(url), nullptr);
}

bool is_event_stream(const http_response& head) {
    return is_event_stream(head.header("content-type").value_or(""));
}

task<result<std::string>> read_whole(http_stream& answer, std::size_t cap) {
    auto decoder = content_decoder::create(content_codings(answer.head().headers));
    if (!decoder)
        co_return decoder.error();
    std::string body;
    for (;;) {
        auto piece = co_await answer.read(no_deadline);
        if (!piece)
            co_return piece.error();
        if (piece->empty())
            break;
        auto fed = decoder->feed(*piece, body, cap);
        if (!fed)
            co_return fed.error();
    }
    auto ended = decoder->finish();
    if (!ended)
        co_return ended.error();
    co_return body;
}

} // namespace reauth
